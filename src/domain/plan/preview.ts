import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Enqueue } from '../../base/limits/fair-queue.ts'
import { withOthers } from '../../base/with-others.ts'
import type { Scope } from '../../auth/scope.ts'
import { ChangeFeed } from '../../db/notify/changes.ts'
import type { Tx } from '../../db/client/types.ts'
import { planChange, type ChangePlan } from './change-plan.ts'
import { readChanged, readOnce, readSnapshot, type Snapshot } from '../publishing/snapshot.ts'
import { watchNodes } from './written-nodes.ts'

/** The result of a change, and its effects. */
export interface Preview<T> {
  readonly value: T
  readonly plan: ChangePlan
  /** The cluster after the change. */
  readonly after: Snapshot
}

/** Thrown to roll back a transaction. */
const rollBack = new Error('this change was only looked at')

/** How often the old state is read without a lock. */
const tries = 3

/** The maximum number of changed nodes that are read one by one; above that, all nodes are read. */
const fewNodes = 20

/**
 * Runs a change of a cluster and rolls it back: with the same rules and refusals, without storing, emitting or logging
 * anything. The change is the domain function that `work` calls in the given scope. Its transaction is rolled back
 * after its work is done and both states have been read.
 * @param enqueue queues expensive work: the preview, and the comparison of its files' lines
 * @throws errors of the change; NotFoundError; LimitError when the bundle would be too large, or the queue is full
 */
export const preview = <T>(
  scope: Scope,
  clusterId: string,
  { work, enqueue }: { readonly work: (scope: Scope) => Promise<T>; readonly enqueue: Enqueue },
): Promise<Preview<T>> => enqueue((signal) => previewed(scope, clusterId, { work, enqueue, signal }))

async function previewed<T>(scope: Scope, clusterId: string, { work, enqueue, signal }: Work<T>): Promise<Preview<T>> {
  for (let attempt = 0; attempt <= tries; attempt += 1) {
    // Reading before the transaction keeps the lock short. It is read inside only if the cluster keeps changing.
    const before = attempt < tries ? await readSnapshot(scope.db, clusterId) : null
    signal.throwIfAborted()
    const { value, states } = await run(scope, clusterId, { work, before })
    if (states.before.cluster.configVersion + 1 !== states.after.cluster.configVersion) continue
    signal.throwIfAborted()
    return { value, plan: await planChange(scope, states, { enqueue, signal }), after: states.after }
  }
  throw new ConflictError('The cluster changes all the time; try again')
}

interface Work<T> {
  readonly work: (scope: Scope) => Promise<T>
  readonly enqueue: Enqueue
  readonly signal: AbortSignal
}

interface States {
  readonly before: Snapshot
  readonly after: Snapshot
}

async function run<T>(
  scope: Scope,
  clusterId: string,
  { work, before: known }: { work: (scope: Scope) => Promise<T>; before: Snapshot | null },
): Promise<{ value: T; states: States }> {
  const seen: { states: States | null } = { states: null }
  const transaction = async <R>(change: (tx: Tx) => Promise<R>): Promise<R> => {
    const done: { result?: R } = {}
    try {
      await scope.db.$transaction(async (tx) => {
        const before = known ?? (await readLocked(tx, clusterId))
        const watched = watchNodes(tx)
        done.result = await change(watched.tx)
        // Other writers wait in the meantime, so only the changed nodes of a large cluster are read.
        const written = watched.written()
        const isKnown = before !== null && written !== null && written.size <= fewNodes
        const after = await (isKnown ? readChanged(tx, before, written) : readOnce(tx, clusterId))
        if (before === null || after === null) throw new NotFoundError('Cluster')
        seen.states = { before, after }
        throw rollBack
      })
    } catch (error) {
      if (error !== rollBack) throw error
    }
    // The change was completed before it was rolled back.
    return done.result as R
  }
  const db = withOthers(scope.db, { $transaction: transaction })
  const value = await work(withOthers(scope, { db, changes: new ChangeFeed() }))
  if (seen.states === null) throw new Error('a change of a cluster that makes no transaction cannot be looked at')
  return { value, states: seen.states }
}

/** Reads the cluster while holding its lock. */
async function readLocked(tx: Tx, clusterId: string): Promise<Snapshot | null> {
  await tx.cluster.updateMany({ where: { id: clusterId }, data: { configVersion: { increment: 0 } } })
  return readOnce(tx, clusterId)
}
