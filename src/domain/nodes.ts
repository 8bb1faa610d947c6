import type { Operator } from "../auth/scope.ts";
import type { TokenHash } from "../auth/tokens.ts";

/** GetNodeByTokenHash: the node that a token belongs to, with what authentication needs and no more. */
export const getNodeByTokenHash = (operator: Operator, tokenHash: TokenHash) =>
  operator.db.node.findUnique({
    where: { tokenHash },
    select: {
      id: true,
      tenantId: true,
      clusterId: true,
      name: true,
      isAdmin: true,
      tokenHash: true,
    },
  });
