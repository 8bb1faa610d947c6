/** An agent's repeated question: is there a version newer than the one that I run? */
export const pollQuery = '{ viewer { ... on Node { cluster { configVersion latestBundleVersion } } } }'

/** A page of an admin's list of nodes. */
export const pageQuery = (isCounted: boolean): string => `query Page($clusterId: UUID!, $first: Int!) {
  nodes(clusterId: $clusterId, first: $first) {
    ${isCounted ? 'totalCount' : ''}
    nodes {
      id name overlayIp groups routes isLighthouse isRelay certificateFingerprint certificateExpiresAt lastSeenAt
      runningConfigVersion nebulaVersion lastError
      cluster { id name configVersion }
    }
    pageInfo { hasNextPage endCursor }
  }
}`

/** The same page of the nodes of all clusters, in an order. */
export const orderedQuery = `query Ordered($first: Int!, $orderBy: NodeOrder!, $filter: NodeFilter) {
  nodes(first: $first, orderBy: $orderBy, filter: $filter) {
    nodes {
      id name overlayIp groups routes isLighthouse isRelay certificateFingerprint certificateExpiresAt lastSeenAt
      runningConfigVersion nebulaVersion lastError
      cluster { id name configVersion }
    }
    pageInfo { hasNextPage endCursor }
  }
}`

/** Three levels of lists. */
export const deepQuery = `{
  tenants(first: 10) { nodes { name
    clusters(first: 5) { nodes { name configVersion
      nodes(first: 10) { nodes { name overlayIp } } } } } }
}`

export const createQuery = `mutation Create($clusterId: UUID!, $name: String!) {
  createNode(input: { clusterId: $clusterId, name: $name }) {
    ... on CreateNodePayload { node { id name overlayIp } token }
    ... on Error { message }
  }
}`

export const enrollQuery = `mutation Enroll($name: String!, $publicKey: String!) {
  enrollNode(input: { name: $name, publicKey: $publicKey }) {
    ... on EnrollNodePayload { node { id overlayIp } token certificate }
    ... on Error { message }
  }
}`

export const routesQuery = `mutation Routes($nodeId: UUID!, $routes: [CIDR!]!) {
  updateNodeRoutes(input: { nodeId: $nodeId, routes: $routes }) {
    ... on UpdateNodeRoutesPayload { node { routes } }
    ... on Error { message }
  }
}`

/** An agent's report once it runs a version. */
export const reportQuery = `mutation Report($version: Int!) {
  reportNodeStatus(input: { runningConfigVersion: $version, nebulaVersion: "1.9.5" }) {
    ... on ReportNodeStatusPayload { node { id } }
    ... on Error { message }
  }
}`

/** The same queries in PostGraphile's schema of the tables; with aliases, so that the answers are the same, too. */
export const postgraphile: Readonly<Record<string, string>> = {
  poll: '{ viewer { cluster: clusterByTenantIdAndClusterId { configVersion latestBundleVersion } } }',
  page: page(''),
  'page-counted': page('totalCount'),
  deep: `{
    tenants: allTenants(first: 10, orderBy: NAME_ASC) { nodes { name
      clusters: clustersByTenantId(first: 5, orderBy: NAME_ASC) { nodes { name configVersion
        nodes: nodesByTenantIdAndClusterId(first: 10, orderBy: NAME_ASC) { nodes { name overlayIp } } } } } }
  }`,
}

function page(total: string): string {
  return `query Page($clusterId: String!, $first: Int!) {
    nodes: allNodes(condition: { clusterId: $clusterId }, orderBy: NAME_ASC, first: $first) {
      ${total}
      nodes {
        id name overlayIp groups routes isLighthouse isRelay certificateFingerprint certificateExpiresAt lastSeenAt
        runningConfigVersion nebulaVersion lastError
        cluster: clusterByTenantIdAndClusterId { id name configVersion }
      }
      pageInfo { hasNextPage endCursor }
    }
  }`
}
