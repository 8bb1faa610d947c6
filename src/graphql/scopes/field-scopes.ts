import type { ApiScope, Resource } from '../../auth/api-scopes.ts'

/**
 * What each root field needs of a token that is limited to some scopes. A root field that is missing here, or one that
 * is here and does not exist, keeps the server from starting.
 */
export const fieldScopes: Readonly<Record<string, readonly ApiScope[]>> = {
  // The caller itself. What else it shows needs the scope of its type, below.
  viewer: [],
  ...each('tenants:read', ['tenant', 'tenants']),
  ...each('tenants:write', ['createTenant', 'deleteTenant', 'renameTenant', 'updateTenant']),
  ...each('clusters:read', ['cluster', 'clusters', 'clusterChanged', 'fleet', 'fleetChanged', 'staleClusters']),
  ...each('clusters:write', [
    'abortClusterCaRotation',
    'createCluster',
    'deleteCluster',
    'deleteClusterState',
    'importClusterPki',
    'publishClusterConfig',
    'renameCluster',
    'reportClusterState',
    'rotateClusterCa',
    'updateCluster',
    'updateClusterCaRotation',
    'updateClusterCertificates',
    'updateClusterEnrollment',
    'updateClusterFirewall',
    'updateClusterLighthouse',
  ]),
  ...each('nodes:read', ['node', 'nodes']),
  ...each('nodes:write', [
    'blockNodes',
    'createNode',
    'deleteNode',
    'deleteNodes',
    'enrollNode',
    'renameNode',
    'renewNodeCertificate',
    'reportNodeStatus',
    'unblockNodes',
    'updateNode',
    'updateNodeGroups',
    'updateNodeLighthouse',
    'updateNodeMtu',
    'updateNodeRelay',
    'updateNodeRoutes',
    'updateNodes',
  ]),
  ...each('bundles:read', ['configBundle', 'configPublished']),
  ...each('bundles:write', [
    'createConfigBundle',
    'deleteConfigBundle',
    'deleteOldConfigBundles',
    'rollbackClusterConfig',
  ]),
  ...each('credentials:read', ['credentials']),
  ...each('credentials:write', [
    'createAccessToken',
    'createEnrollmentKey',
    'revokeCredential',
    'revokeEnrollmentKey',
    'rotateAccessToken',
  ]),
  ...each('audit:read', ['auditEvents']),
  search: ['tenants:read', 'clusters:read', 'nodes:read'],
  ...each('replicas:read', ['master', 'replica', 'replicas']),
  ...each('replicas:write', [
    'deleteReplica',
    'heartbeatReplica',
    'pruneStaleReplicas',
    'registerReplica',
    'updateReplicaRole',
  ]),
  // They give out tokens, or make them stronger: a machine's token knows no scopes.
  rotateClusterToken: ['clusters:write', 'credentials:write'],
  rotateNodeToken: ['nodes:write', 'credentials:write'],
  rotateNodeTokens: ['nodes:write', 'credentials:write'],
  updateNodeAdmin: ['nodes:write', 'credentials:write'],
  changeCluster: ['clusters:write', 'nodes:write', 'credentials:write'],
}

function each(scope: ApiScope, fields: readonly string[]): Record<string, readonly ApiScope[]> {
  return Object.fromEntries(fields.map((field) => [field, [scope]]))
}

/** Types that show a resource, wherever they are selected: an edge leads to no more than a root field does. */
export const typeResources: ReadonlyMap<string, Resource> = new Map<string, Resource>([
  ['Tenant', 'tenants'],
  ['Cluster', 'clusters'],
  ['ClusterState', 'clusters'],
  ['Node', 'nodes'],
  ['NodeCounts', 'nodes'],
  ['ConfigBundle', 'bundles'],
  ['ConfigDiff', 'bundles'],
  ['ChangePlan', 'bundles'],
  ['FileDiff', 'bundles'],
  ['Credential', 'credentials'],
  ['EnrollmentKey', 'credentials'],
  ['AuditEvent', 'audit'],
  ['Replica', 'replicas'],
])
