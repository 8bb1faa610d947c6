// Apollo Server's standalone server with DataLoader, as its documentation sets it up.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import DataLoader from 'dataloader'
import { authenticator } from './authenticate.mjs'
import { openData } from './data.mjs'
import { connection, query, typeDefs } from './schema.mjs'

const [port, url, keys] = process.argv.slice(2)
const data = await openData(url)
const authenticate = authenticator(data, JSON.parse(keys))

const loadersFor = (caller) => ({
  clusters: new DataLoader(async (ids) => data.clustersByIds(caller?.tenantId ?? null, ids)),
  latestVersions: new DataLoader(async (ids) => data.latestVersions(ids)),
  clustersOf: new DataLoader(async (asked) =>
    data.clustersOfTenants(
      asked.map(({ id }) => id),
      asked[0].first,
    ),
  ),
  nodesOf: new DataLoader(async (asked) =>
    data.nodesOfClusters(
      asked.map(({ cluster }) => cluster),
      asked[0].first,
    ),
  ),
})

const server = new ApolloServer({
  typeDefs,
  resolvers: {
    Query: query(data),
    Node: { cluster: ({ clusterId }, _args, { loaders }) => loaders.clusters.load(clusterId) },
    Cluster: {
      latestBundleVersion: ({ id }, _args, { loaders }) => loaders.latestVersions.load(id),
      nodes: async (cluster, { first }, { loaders }) =>
        connection(await loaders.nodesOf.load({ cluster, first }), first),
    },
    Tenant: {
      clusters: async ({ id }, { first }, { loaders }) => ({ nodes: await loaders.clustersOf.load({ id, first }) }),
    },
  },
})
await startStandaloneServer(server, {
  listen: { port: Number(port), host: '127.0.0.1' },
  context: async ({ req }) => {
    const caller = await authenticate(req.headers.authorization)
    return { caller, loaders: loadersFor(caller) }
  },
})
