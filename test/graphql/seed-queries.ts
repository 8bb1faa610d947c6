/** The queries that the seed names, and the two that complete them. */
const byTable = {
  tenants: 'GetTenant ListTenants CreateTenant DeleteTenant CountTenants',
  clusters:
    'GetCluster GetClusterByID ListClusters ListAllClusters CreateCluster UpdateClusterVersion UpdateClusterTokenHash UpdateClusterPKI DeleteCluster CountClusters GetClusterVersion UpdateClusterLighthouse',
  clusterState: 'GetClusterState ListClusterStates UpsertClusterState GetStaleClusters DeleteClusterState',
  replicas:
    'GetReplica GetReplicaByAddress ListReplicas ListHealthyReplicas GetMaster UpsertReplica UpdateReplicaHeartbeat DeleteReplica PruneStaleReplicas CountMasters UpdateReplicaRole',
  nodes:
    'GetNode GetNodeByID GetNodeByTokenHash ListNodes ListAllNodesInCluster ListLighthouses ListRelays ListNodesWithRoutes CreateNode UpdateNodeTokenHash UpdateNodeMTU UpdateNodeRoutes UpdateNodeLighthouse UpdateNodeRelay DeleteNode CountNodes CountAdminNodes',
  bundles:
    'GetBundle GetLatestBundle GetLatestBundleVersion ListBundles CreateBundle DeleteBundle DeleteOldBundles CountBundles',
}

export const seedQueries: readonly string[] = Object.values(byTable).flatMap((names) => names.split(' '))
