// The measured part of Orrery's schema, for the peers that need a schema.
export const typeDefs = `
  scalar UUID
  type Query {
    viewer: Node
    nodes(clusterId: UUID!, first: Int!): NodeConnection!
    tenants(first: Int!): TenantConnection!
  }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Tenant { id: UUID! name: String! clusters(first: Int!): ClusterConnection! }
  type TenantConnection { nodes: [Tenant!]! }
  type Cluster { id: UUID! name: String! configVersion: Int! latestBundleVersion: Int nodes(first: Int!): NodeConnection! }
  type ClusterConnection { nodes: [Cluster!]! }
  type NodeConnection { nodes: [Node!]! pageInfo: PageInfo! totalCount: Int! }
  type Node {
    id: UUID! name: String! overlayIp: String! groups: [String!]! routes: [String!]! isLighthouse: Boolean! isRelay: Boolean!
    certificateFingerprint: String certificateExpiresAt: String lastSeenAt: String runningConfigVersion: Int
    nebulaVersion: String lastError: String cluster: Cluster
  }
`

export const unauthenticated = () =>
  Object.assign(new Error('Sign in first.'), { extensions: { code: 'UNAUTHENTICATED' } })

/** The first `first` rows of a list that was read with one more, and its page information. */
export function connection(rows, first) {
  const nodes = rows.slice(0, first)
  const last = nodes.at(-1)
  const endCursor = last ? Buffer.from(JSON.stringify([last.name, last.id])).toString('base64url') : null
  return { nodes, pageInfo: { hasNextPage: rows.length > first, endCursor } }
}

/** The root fields; they are the same for both servers, which differ in how they load what is below. */
export const query = (data) => ({
  viewer: (_root, _args, { caller }) => {
    if (!caller?.node) throw unauthenticated()
    return caller.node
  },
  nodes: async (_root, { clusterId, first }, { caller }) => {
    if (!caller?.tenantId) throw unauthenticated()
    const rows = await data.nodesPage(caller.tenantId, clusterId, first)
    return { ...connection(rows, first), totalCount: () => data.countNodes(caller.tenantId, clusterId) }
  },
  tenants: async (_root, { first }, { caller }) => {
    if (!caller || caller.tenantId !== null) throw unauthenticated()
    return { nodes: await data.tenants(first) }
  },
})
