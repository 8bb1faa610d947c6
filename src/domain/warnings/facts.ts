import { NotFoundError } from '../../base/errors.ts'
import { breaks, inPieces } from '../../base/pieces.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Key, Row } from '../../db/reads/pages.ts'
import type { Cluster, Node } from '../../db/client/types.ts'
import { getCluster } from '../clusters/clusters.ts'
import { listClusterNodes } from '../nodes/nodes.ts'
import type { List, Window } from '../shared/pages.ts'
import type { Snapshot } from '../publishing/snapshot.ts'

/** The columns of a node that warnings depend on. */
export type NodeFacts = Pick<
  Node,
  'id' | 'name' | 'overlayIp' | 'isLighthouse' | 'lighthousePublicIp' | 'lighthousePort'
> & { readonly routes: readonly string[] }

/**
 * The data that warnings depend on: a cluster after a change, or a possible change. Each fact is read on demand, by one
 * statement, and once; only groups need one statement per 500 nodes, as far as they are read.
 */
export interface ClusterFacts {
  readonly cluster: () => Promise<Cluster>
  /** The groups of each node, 500 nodes at a time: these alone may have 8 MB of groups. */
  readonly groups: () => AsyncIterable<readonly (readonly string[])[]>
  /** The given names that exist as nodes. */
  readonly namesAmong: (names: readonly string[]) => Promise<ReadonlySet<string>>
  /** The first nodes by name that have networks behind them, and whether these are all. */
  readonly gateways: () => Promise<{ readonly nodes: readonly NodeFacts[]; readonly areAll: boolean }>
  /** Lighthouses, the first 100 by name. */
  readonly lighthouses: () => Promise<readonly NodeFacts[]>
  /** Whether the cluster has at least two nodes, which need to find each other. */
  readonly hasPeers: () => Promise<boolean>
}

/** Nodes whose groups are read at once. */
const piece = 500

/** The maximum number of gateways whose routes are read: each may have 256. */
const mostGateways = 250
const mostLighthouses = 100

/** The facts of a cluster as it is stored. */
export function storedFacts(scope: Scope, clusterId: string): ClusterFacts {
  const cluster = once(async () => {
    const found = await getCluster(scope, clusterId)
    if (!found) throw new NotFoundError('Cluster')
    return found
  })
  const read = (list: List, fields: readonly string[], part: Pick<Window, 'after' | 'limit'>) =>
    scope.read.page(list, { fields, window: { before: null, inverted: false, ...part } })
  // The page has these columns, so its rows are NodeFacts.
  const nodes = async (list: List, limit: number) =>
    present(await read(list, nodeColumns, { after: null, limit })) as unknown as NodeFacts[]
  return {
    cluster,
    async *groups() {
      let after: Key | null = null
      const pause = breaks()
      for (;;) {
        const fields = ['name', 'groups', 'blockedAt']
        const rows: Row[] = await read(listClusterNodes(clusterId), fields, { after, limit: piece })
        // Only the domain writes the column, as a list of texts.
        yield present(rows).map(({ groups }) => groups as string[])
        if (rows.length < piece) return
        after = [String(rows.at(-1)?.['name'])]
        await pause()
      }
    },
    namesAmong: async (names) => {
      const { tenantId } = await cluster()
      // Along the unique index of (tenant, cluster, name).
      const where = { tenantId, clusterId, blockedAt: null, name: { in: [...names] } }
      const found = await scope.db.node.findMany({ where, select: { name: true } })
      return new Set(found.map(({ name }) => name))
    },
    gateways: once(async () =>
      firstGateways(await nodes(listClusterNodes(clusterId, { hasRoutes: true }), mostGateways + 1)),
    ),
    lighthouses: once(() => nodes(listClusterNodes(clusterId, { isLighthouse: true }), mostLighthouses)),
    hasPeers: once(async () => (await nodes(listClusterNodes(clusterId), 2)).length === 2),
  }
}

const nodeColumns = [
  'id',
  'name',
  'overlayIp',
  'isLighthouse',
  'lighthousePublicIp',
  'lighthousePort',
  'routes',
  'blockedAt',
]

/** Without blocked nodes: for the others it is as if they were deleted, as in a snapshot. */
const present = (rows: readonly Row[]): Row[] => rows.filter(({ blockedAt }) => blockedAt === null)

/** The facts of a cluster after a possible change, without a statement. */
export const snapshotFacts = ({ cluster, nodes }: Snapshot): ClusterFacts => ({
  cluster: () => Promise.resolve(cluster),
  async *groups() {
    for await (const some of inPieces(nodes, piece)) yield some.map(({ groups }) => groups)
  },
  namesAmong: (names) => {
    const wanted = new Set(names)
    return Promise.resolve(new Set(nodes.flatMap(({ name }) => (wanted.has(name) ? [name] : []))))
  },
  gateways: once(() => Promise.resolve(firstGateways(nodes.filter(({ routes }) => routes.length > 0)))),
  lighthouses: once(() => Promise.resolve(nodes.filter(({ isLighthouse }) => isLighthouse).slice(0, mostLighthouses))),
  hasPeers: () => Promise.resolve(nodes.length > 1),
})

const firstGateways = (nodes: readonly NodeFacts[]) => ({
  nodes: nodes.slice(0, mostGateways),
  areAll: nodes.length <= mostGateways,
})

/** Caches the answer of a question. */
export function once<T>(find: () => Promise<T>): () => Promise<T> {
  let found: Promise<T> | null = null
  return () => (found ??= find())
}
