import { CallerError, ConflictError, NotFoundError } from '../../../base/errors.ts'
import { breaks, inPieces } from '../../../base/pieces.ts'
import type { Scope } from '../../../auth/scope.ts'
import type { Cluster, Node } from '../../../db/client/types.ts'
import type { NodeValues } from '../../../db/writes/node-rows.ts'
import { changeAndShowCluster, type Change } from '../../clusters/cluster-change.ts'
import { assertKeysOpen } from '../../pki/closed-keys.ts'
import type { Revoked } from '../../signing/revocation.ts'
import { revoke } from '../../signing/revocation.ts'

/** What a change does to one node: the values to write, and the certificates that must not be trusted any more. */
export interface NodeWork {
  readonly values: NodeValues
  readonly revoked?: readonly Revoked[]
}

/** A change of many nodes of one cluster. */
export interface NodesWork {
  /** What happens, for the next bundle's message, which names a few of the nodes before it. */
  readonly what: string
  /**
   * Decides what happens to a node; null for a node that stays as it is. It may be called several times. It is made
   * anew for the cluster as it is at that moment.
   */
  readonly decide: (cluster: Cluster) => (node: Node) => NodeWork | null
  /** What else happens in the transaction, before the nodes are written. */
  readonly also?: (change: Change, nodes: readonly Node[]) => Promise<void>
  /** Writes the nodes; by default, their new values are stored. */
  readonly write?: (change: Change, ids: readonly string[]) => Promise<void>
  /** What else happens in the transaction, after the nodes were written; they are given as they were before. */
  readonly afterwards?: (change: Change, nodes: readonly Node[]) => Promise<void>
}

export interface NodesOutcome {
  /** The cluster after the change. */
  readonly cluster: Cluster
  /** The nodes after the change, in the given order; deleted ones as they were. */
  readonly nodes: readonly Node[]
  /** The nodes before the change. */
  readonly former: readonly Node[]
  /** Ids of the nodes that were written. */
  readonly changed: ReadonlySet<string>
}

/** Why nothing was changed in a cluster: each node that refused the change. */
export class NodesError extends CallerError {
  override readonly name = 'NodesError'
  readonly refusals: ReadonlyMap<string, CallerError>

  constructor(refusals: ReadonlyMap<string, CallerError>, count: number) {
    const [first] = refusals.values()
    const which = count === 1 ? 'the node' : `${refusals.size} of ${count} nodes`
    super(`nothing was changed, since ${which} cannot be: ${first?.message ?? ''}`)
    this.refusals = refusals
  }
}

/** How often the work is prepared without a lock. */
const tries = 3

/** Thrown to roll back a transaction whose nodes changed after the work was prepared. */
const stale = new Error('the nodes changed in the meantime')

/** Thrown to roll back the version of a change that no node needs any more. */
const unneeded = new Error('no node needs the change any more')

/**
 * Changes many nodes of one cluster as one change of it: one version, all or nothing. Certificates are signed before
 * the transaction, in pieces, so that other writers wait only for the writing. If the cluster or a node changed
 * meanwhile, the work begins again; the last try does all of it in the transaction. So does a part of several changes
 * (changeTogether), since it sees the result of those before it. Call `emitChanged` after it.
 * @throws NodesError when nodes refuse the change; NotFoundError; ConflictError as changeCluster
 */
export async function changeNodes(
  scope: Scope,
  clusterId: string,
  ids: readonly string[],
  work: NodesWork,
): Promise<NodesOutcome> {
  for (let attempt = scope.raised === null ? 0 : tries; ; attempt += 1) {
    const prepared = attempt < tries ? await prepare(scope, scope.db, { clusterId, ids, work }) : null
    try {
      return await applied(scope, clusterId, { ids, work, prepared })
    } catch (error) {
      if (error !== stale) throw error
    }
  }
}

/**
 * The same for those nodes that still need it when the cluster is locked: what happens to each is decided there, a node
 * that is not there any more or stays as it is takes no part, and if none needs it, there is no new version.
 * @returns null when no node needed it
 * @throws NodesError when nodes refuse the change; NotFoundError; ConflictError as changeCluster
 */
export async function changeNodesInNeed(
  scope: Scope,
  clusterId: string,
  ids: readonly string[],
  work: NodesWork,
): Promise<NodesOutcome | null> {
  try {
    return await applied(scope, clusterId, { ids, work, prepared: null }, true)
  } catch (error) {
    if (error !== unneeded) throw error
    return null
  }
}

interface Prepared {
  readonly version: number
  readonly nodes: readonly Node[]
  readonly works: ReadonlyMap<string, NodeWork>
}

type Reader = Pick<Change['tx'], 'cluster' | 'node'>

/** Nodes that are read at once, with all columns and with a few: some milliseconds of work. */
const [wholeRows, fewColumns] = [50, 250]

interface Request {
  readonly clusterId: string
  readonly ids: readonly string[]
  readonly work: Pick<NodesWork, 'decide'>
}

async function prepare(scope: Scope, db: Reader, { clusterId, ids, work: { decide } }: Request): Promise<Prepared> {
  const cluster = await db.cluster.findUnique({ where: { id: clusterId } })
  if (!cluster) throw new NotFoundError('Cluster')
  // It concerns the cluster, not its nodes one by one.
  assertKeysOpen(scope.opener, cluster)
  const byId = new Map<string, Node>()
  for await (const some of inPieces(ids, wholeRows)) {
    for (const node of await db.node.findMany({ where: { id: { in: [...some] }, clusterId } })) byId.set(node.id, node)
  }
  const nodes = ids.flatMap((id) => byId.get(id) ?? [])
  const refusals = new Map(
    ids.filter((id) => !byId.has(id)).map((id) => [id, new NotFoundError('Node') as CallerError]),
  )
  const works = new Map<string, NodeWork>()
  const pause = breaks()
  const workOf = decide(cluster)
  for (const node of nodes) {
    try {
      const work = workOf(node)
      if (work !== null) works.set(node.id, work)
    } catch (error) {
      if (!(error instanceof CallerError)) throw error
      refusals.set(node.id, error)
    }
    await pause()
  }
  if (refusals.size > 0) throw new NodesError(refusals, ids.length)
  return { version: cluster.configVersion, nodes, works }
}

interface Job {
  readonly ids: readonly string[]
  readonly work: NodesWork
  /** Null for work that is to be decided under the cluster's lock. */
  readonly prepared: Prepared | null
}

async function applied(scope: Scope, clusterId: string, job: Job, inNeed = false): Promise<NodesOutcome> {
  const { work, prepared } = job
  let name = ''
  const summary = () => `${name}: ${work.what}`
  const { result, cluster } = await changeAndShowCluster(scope, clusterId, summary, async (change) => {
    const pause = breaks()
    const present = inNeed ? await presentAmong(change, job.ids) : job.ids
    const decided = prepared ?? (await prepare(scope, change.tx, { clusterId, ids: present, work }))
    if (prepared !== null) await assertAsPrepared(change, prepared)
    const { works } = decided
    const nodes = inNeed ? decided.nodes.filter(({ id }) => works.has(id)) : decided.nodes
    if (inNeed && nodes.length === 0) throw unneeded
    name = namesOf(nodes)
    await work.also?.(change, nodes)
    const values = new Map([...works].map(([id, one]) => [id, one.values]))
    const revoked = [...works.values()].flatMap((one) => one.revoked ?? [])
    await pause()
    revoke(change, revoked)
    await pause()
    if (work.write) await work.write(change, [...works.keys()])
    else if ((await scope.nodeRows.write(change.tx, change.cluster, values)) < countWritten(values))
      throw new ConflictError('A node was deleted at this moment; try again')
    await work.afterwards?.(change, nodes)
    const after: Node[] = []
    for (const node of nodes) {
      after.push({ ...node, ...values.get(node.id) })
      await pause()
    }
    return { nodes: after, former: nodes, changed: new Set(works.keys()) }
  })
  return { ...result, cluster }
}

/** Those of the nodes that are in the cluster. */
async function presentAmong({ tx, cluster }: Change, ids: readonly string[]): Promise<readonly string[]> {
  const where = { id: { in: [...ids] }, clusterId: cluster.id }
  return (await tx.node.findMany({ where, select: { id: true } })).map(({ id }) => id)
}

const countWritten = (values: ReadonlyMap<string, NodeValues>): number =>
  [...values.values()].filter((one) => Object.keys(one).length > 0).length

/** Renewals and notes change a node without a new version; everything else raises it. */
async function assertAsPrepared({ tx, cluster }: Change, { version, nodes }: Prepared): Promise<void> {
  if (cluster.configVersion !== version + 1) throw stale
  const select = { id: true, certificateFingerprint: true, labels: true } as const
  for await (const some of inPieces(nodes, fewColumns)) {
    const rows = await tx.node.findMany({ where: { id: { in: some.map(({ id }) => id) } }, select })
    const present = new Map(rows.map((row) => [row.id, row]))
    for (const { id, certificateFingerprint, labels } of some) {
      const now = present.get(id)
      if (now?.certificateFingerprint !== certificateFingerprint) throw stale
      if (JSON.stringify(now.labels) !== JSON.stringify(labels)) throw stale
    }
  }
}

/** A few names, and how many nodes there are: the message has one line, whatever their number. */
function namesOf(nodes: readonly Node[]): string {
  const shown = nodes.slice(0, 3).map(({ name }) => name)
  const [only = ''] = shown
  if (nodes.length === 1) return only
  const rest = nodes.length - shown.length
  return `${nodes.length} nodes (${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''})`
}

/** Tells the streams of the cluster which nodes changed. */
export function emitChanged(scope: Scope, { cluster: { id: clusterId }, changed }: NodesOutcome): void {
  for (const nodeId of changed) scope.changes.emit({ kind: 'nodeChanged', clusterId, nodeId })
}
