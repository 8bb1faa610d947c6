import { pem } from './archives.ts'
import type { Dataset } from './dataset.ts'
import type { Traffic } from './load.ts'
import { createQuery, deepQuery, enrollQuery, pageQuery, pollQuery, postgraphile, routesQuery } from './queries.ts'
import type { TargetName } from './targets.ts'
import { bundleTraffic, graphqlTraffic, type Caller } from './traffic.ts'

/** One action of clients, and the request for it to each server that supports it. */
export interface Scenario {
  readonly name: string
  readonly title: string
  /** Requests in flight at once. */
  readonly connections: number
  readonly traffic: Partial<Record<TargetName, Traffic>>
  /** Whether every server's answer to the first request must hold the same data; writes differ by nature. */
  readonly isComparable: boolean
}

const readers = 64
const writers = 16

/** The scenarios on a filled database, reads first. */
export function scenariosFor(data: Dataset): Scenario[] {
  const { fleet, agents, heavyNodes, admin, operator } = data
  const fleetPage = { clusterId: fleet.id, first: 50 }
  return [
    graphql('poll', 'agent poll by GraphQL', { query: pollQuery, callers: agents.map(({ token }) => ({ token })) }),
    bundle('bundle-304', 'GET /bundle, nothing new (304)', fleet.nodes, '"500"'),
    bundle('bundle-2k', 'GET /bundle, 2 KB', fleet.nodes, null),
    bundle('bundle-100k', 'GET /bundle, 100 KB', heavyNodes, null),
    graphql('page', 'page of 50 nodes', { query: pageQuery(false), callers: [{ token: admin, variables: fleetPage }] }),
    graphql('page-counted', 'the same with totalCount', {
      query: pageQuery(true),
      callers: [{ token: admin, variables: fleetPage }],
    }),
    graphql('deep', '10 tenants, 50 clusters, 500 nodes', { query: deepQuery, callers: [{ token: operator }] }),
    write('create', 'node creation', createQuery, () => newNodes(fleet.id, admin)),
    enrollment(fleet.token),
    write('routes', 'route update by a node', routesQuery, () =>
      fleet.nodes.map(({ id, token }, index) => ({
        token,
        variables: { nodeId: id, routes: [`192.168.${index % 256}.0/24`] },
      })),
    ),
  ]
}

function graphql(
  name: string,
  title: string,
  { query, callers }: { query: string; callers: readonly Caller[] },
): Scenario {
  const own = graphqlTraffic(query, callers, `/${name}`)
  const standard = graphqlTraffic(query, callers)
  const traffic: Scenario['traffic'] = { orrery: standard, bare: own, sql: own, mercurius: standard, apollo: standard }
  const other = postgraphile[name]
  if (other !== undefined) traffic.postgraphile = graphqlTraffic(other, callers)
  return { name, title, connections: readers, traffic, isComparable: true }
}

/** Each server gets its own callers: what exists already cannot be created again. */
function write(name: string, title: string, query: string, callers: () => readonly Caller[]): Scenario {
  const of = (path?: string) => graphqlTraffic(query, callers(), path)
  const traffic = { orrery: of(), bare: of(`/${name}`), sql: of(`/${name}`) }
  return { name, title, connections: writers, traffic, isComparable: false }
}

function bundle(name: string, title: string, nodes: readonly Caller[], known: string | null): Scenario {
  const standard = bundleTraffic(nodes, known)
  // The hand-written server has no slices; answering that there is nothing new is the same work.
  const sql = known === null ? {} : { sql: standard }
  const traffic = { orrery: standard, bare: bundleTraffic(nodes, known, `/${name}`), ...sql }
  return { name, title, connections: readers, traffic, isComparable: false }
}

/** With the cluster token, 64 at once. No hand-written server signs certificates. */
function enrollment(token: string): Scenario {
  const callers = () =>
    Array.from({ length: newKeys }, (_, index) => ({
      token,
      variables: { name: `enrolled-${index}`, publicKey: pem('NEBULA X25519 PUBLIC KEY', 32) },
    }))
  const { traffic, ...rest } = write('enroll', 'enrollment with its certificate', enrollQuery, callers)
  const { orrery, bare } = traffic
  return { ...rest, connections: readers, traffic: { ...(orrery && { orrery }), ...(bare && { bare }) } }
}

/** More machines than one run can enroll. */
const newKeys = 10_000

/** More names than one run can create; a repeated name would fail, and so be noticed. */
const newNames = 60_000
let usedNames = 0

function newNodes(clusterId: string, token: string): Caller[] {
  const from = usedNames
  usedNames += newNames
  return Array.from({ length: newNames }, (_, index) => ({
    token,
    variables: { clusterId, name: `created-${from + index}` },
  }))
}
