// Mercurius on Fastify with its JIT and its own loaders, as its documentation sets it up.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { authenticator } from './authenticate.mjs'
import { openData } from './data.mjs'
import { connection, query, typeDefs } from './schema.mjs'

const [port, url, keys] = process.argv.slice(2)
const data = await openData(url)
const authenticate = authenticator(data, JSON.parse(keys))
const app = Fastify({ keepAliveTimeout: 75_000 })
app.register(mercurius, {
  schema: typeDefs,
  // Unlike graphql-js, its JIT does not call a function in place of a value.
  resolvers: { Query: query(data), NodeConnection: { totalCount: ({ totalCount }) => totalCount() } },
  loaders: {
    Node: {
      cluster: (queries, { caller }) =>
        data.clustersByIds(
          caller.tenantId,
          queries.map(({ obj }) => obj.clusterId),
        ),
    },
    Cluster: {
      latestBundleVersion: (queries) => data.latestVersions(queries.map(({ obj }) => obj.id)),
      nodes: async (queries) => {
        const { first } = queries[0].params
        const lists = await data.nodesOfClusters(
          queries.map(({ obj }) => obj),
          first,
        )
        return lists.map((rows) => connection(rows, first))
      },
    },
    Tenant: {
      clusters: async (queries) => {
        const lists = await data.clustersOfTenants(
          queries.map(({ obj }) => obj.id),
          queries[0].params.first,
        )
        return lists.map((nodes) => ({ nodes }))
      },
    },
  },
  context: async (request) => ({ caller: await authenticate(request.headers.authorization) }),
  jit: 1,
})
await app.listen({ port: Number(port), host: '127.0.0.1' })
