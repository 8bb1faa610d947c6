import { ConflictError } from '../../base/errors.ts'
import { getCluster } from '../../domain/clusters/clusters.ts'
import { getNode } from '../../domain/nodes/nodes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster } from '../clusters/clusters.ts'
import { Node } from '../nodes/nodes.ts'

// What a page needs to show both: what its reader wanted, and what somebody else made of it meanwhile.
builder.objectFields(ConflictError, (t) => ({
  presentVersion: t.field({
    type: 'PositiveInt',
    nullable: true,
    description: 'The cluster’s `configVersion` where it is not the `expectedVersion`; null for any other clash.',
    resolve: ({ outdated }) => outdated?.configVersion ?? null,
  }),
  presentCluster: t.prismaField({
    type: Cluster,
    nullable: true,
    description: 'The cluster as it is now; null where `presentVersion` is.',
    resolve: (query, { outdated }, _args, context) =>
      outdated === null ? null : getCluster(scopeOf(context), outdated.clusterId, query),
  }),
  presentNode: t.prismaField({
    type: Node,
    nullable: true,
    description: 'The node as it is now; null where `presentVersion` is, and where the change is not one of a node.',
    resolve: (query, { outdated }, _args, context) => {
      const nodeId = outdated?.nodeId ?? null
      return nodeId === null ? null : getNode(scopeOf(context), nodeId, query)
    },
  }),
}))
