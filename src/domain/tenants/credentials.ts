import type { Credentials } from '../../auth/authenticate.ts'
import type { Operator } from '../../auth/scope.ts'
import { findFormerToken } from '../credentials/former-tokens.ts'
import { getEnrollmentKeyByTokenHash } from '../credentials/enrollment-keys.ts'
import { getClusterByTokenHash, getCredentialCluster } from '../clusters/clusters.ts'
import { getCredentialNode, getNodeByTokenHash } from '../nodes/nodes.ts'
import { getAccessTokenById, getPersonByTokenHash } from './access-tokens.ts'
import { findTenant } from './tenants.ts'

/** The look-ups of authentication, in the server's own scope: the caller is not known yet. */
export const credentials = (operator: Operator): Credentials => ({
  nodeByTokenHash: (hash) => getNodeByTokenHash(operator, hash),
  clusterByTokenHash: (hash) => getClusterByTokenHash(operator, hash),
  formerToken: (hashes) => findFormerToken(operator, hashes),
  nodeById: (id) => getCredentialNode(operator, id),
  clusterById: (id) => getCredentialCluster(operator, id),
  accessTokenById: (id) => getAccessTokenById(operator, id),
  rehashNode: async (id, from, to) => {
    await operator.db.node.updateMany({ where: { id, tokenHash: from }, data: { tokenHash: to } })
  },
  rehashCluster: async (id, from, to) => {
    await operator.db.cluster.updateMany({ where: { id, clusterTokenHash: from }, data: { clusterTokenHash: to } })
  },
  personByTokenHash: (kind, hash) => getPersonByTokenHash(operator, kind, hash),
  enrollmentKeyByTokenHash: (hash) => getEnrollmentKeyByTokenHash(operator, hash),
  rehashCredential: async (id, from, to) => {
    await operator.db.credential.updateMany({ where: { id, tokenHash: from }, data: { tokenHash: to } })
  },
  tenantExists: async (id) => (await findTenant(operator, id, ['id'])) !== null,
})
