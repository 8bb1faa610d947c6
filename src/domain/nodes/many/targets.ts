import { NotFoundError, ValidationError } from '../../../base/errors.ts'
import { inPieces } from '../../../base/pieces.ts'
import type { Scope } from '../../../auth/scope.ts'
import type { NodeFilter } from '../../../db/reads/lists.ts'
import { filterBy } from '../../shared/pages.ts'
import { listClusterNodes } from '../nodes.ts'

/** How many nodes one call may change, and of how many clusters. */
export const mostNodes = 1000
export const mostClusters = 20

/** Which nodes a call is about: some by their ids, or those of one cluster that a filter finds. */
export interface Selection {
  readonly ids?: readonly string[] | undefined
  readonly clusterId?: string | undefined
  readonly filter?: NodeFilter | undefined
}

export interface Targets {
  /** The ids of the nodes of each cluster, in the order in which they were given. */
  readonly clusters: ReadonlyMap<string, readonly string[]>
  /** Ids of nodes that do not exist or are not in the scope. */
  readonly missing: readonly string[]
}

/**
 * Finds the nodes that a call is about.
 * @throws ValidationError for no selection or two, and for too many nodes or clusters; NotFoundError for the cluster
 */
export async function findTargets(scope: Scope, { ids, clusterId, filter }: Selection): Promise<Targets> {
  if (ids !== undefined && clusterId === undefined && filter === undefined) return targetsOf(scope, ids)
  if (ids === undefined && clusterId !== undefined && filter !== undefined) return filtered(scope, clusterId, filter)
  throw ValidationError.at(['input'], 'EXCLUSIVE', 'needs either ids, or clusterId together with filter')
}

/** The ids without those that are given twice. @throws ValidationError for none, and for too many */
export function distinct(given: readonly string[]): string[] {
  const ids = [...new Set(given)]
  if (ids.length === 0) throw ValidationError.at(['input', 'ids'], 'REQUIRED', 'must name at least one node')
  if (ids.length > mostNodes)
    throw ValidationError.at(['input', 'ids'], 'TOO_MANY', `must have at most ${mostNodes} nodes`)
  return ids
}

async function targetsOf(scope: Scope, given: readonly string[]): Promise<Targets> {
  const ids = distinct(given)
  const clusterOf = new Map<string, string>()
  for await (const some of inPieces(ids, 250)) {
    const where = { id: { in: [...some] } }
    for (const node of await scope.db.node.findMany({ where, select: { id: true, clusterId: true } }))
      clusterOf.set(node.id, node.clusterId)
  }
  const clusters = new Map<string, string[]>()
  for (const id of ids) {
    const clusterId = clusterOf.get(id)
    if (clusterId === undefined) continue
    const nodes = clusters.get(clusterId) ?? []
    nodes.push(id)
    clusters.set(clusterId, nodes)
  }
  if (clusters.size > mostClusters)
    throw ValidationError.at(['input', 'ids'], 'TOO_MANY', `must be nodes of at most ${mostClusters} clusters`)
  return { clusters, missing: ids.filter((id) => !clusterOf.has(id)) }
}

async function filtered(scope: Scope, clusterId: string, filter: NodeFilter): Promise<Targets> {
  filterBy(filter, ['input', 'filter'])
  const cluster = await scope.db.cluster.findUnique({ where: { id: clusterId }, select: { id: true } })
  if (!cluster) throw new NotFoundError('Cluster')
  const window = { after: null, before: null, inverted: false, limit: mostNodes + 1 }
  const rows = await scope.read.page(listClusterNodes(clusterId, filter), { fields: ['id'], window })
  if (rows.length > mostNodes)
    throw ValidationError.at(['input', 'filter'], 'TOO_MANY', `finds more than ${mostNodes} nodes: narrow it`)
  const ids = rows.map(({ id }) => String(id))
  return { clusters: new Map(ids.length === 0 ? [] : [[clusterId, ids]]), missing: [] }
}
