import { CallerError, NotFoundError } from '../../base/errors.ts'
import { withOthers } from '../../base/with-others.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster, Tx } from '../../db/client/types.ts'
import { ChangeFeed, type ChangeEvent } from '../../db/notify/changes.ts'
import { assertExpected } from './expected-version.ts'

/** One of several changes: a function of the domain that changes the cluster or a node of it, in the given scope. */
export type Step<T> = (scope: Scope) => Promise<T>

/** One of several changes was refused, and with it all of them. */
export class StepError extends Error {
  override readonly name = 'StepError'
  readonly index: number
  override readonly cause: CallerError

  constructor(index: number, cause: CallerError) {
    super(cause.message, { cause })
    this.index = index
    this.cause = cause
  }
}

/**
 * Makes several changes of one cluster in one transaction, one after the other, with one version: all of them, or none.
 * Each has its line in the next bundle's message. The functions are the same as for single changes: in the scope that
 * they are given, a transaction is a part of this one, and the version was raised already. Their events are emitted
 * after the commit.
 * @throws StepError with the refusal of a change; NotFoundError; ConflictError when the cluster is no longer at the
 * version that the caller saw
 */
export async function changeTogether<T>(
  scope: Scope,
  clusterId: string,
  steps: readonly Step<T>[],
): Promise<{ readonly cluster: Cluster; readonly values: readonly T[] }> {
  let events: ChangeEvent[] = []
  const done = await scope.db.$transaction(async (tx) => {
    // The transaction may be tried again.
    events = []
    const changes = new ChangeFeed()
    changes.listen((event) => events.push(event))
    const data = { configVersion: { increment: 1 } }
    const [raised] = await tx.cluster.updateManyAndReturn({ where: { id: clusterId }, data })
    if (!raised) throw new NotFoundError('Cluster')
    assertExpected(scope, { id: clusterId, configVersion: raised.configVersion - 1 })
    const inside = withOthers(scope, { db: inTransaction(tx), changes, raised: clusterId })
    const values: T[] = []
    for (const [index, step] of steps.entries()) values.push(await refusedAt(index, () => step(inside)))
    return { values, cluster: await tx.cluster.findUniqueOrThrow({ where: { id: clusterId } }) }
  })
  // Each change told of the version, which is the same for all.
  const isRepeated = (event: ChangeEvent) => event.kind === 'changed' && event.clusterId === clusterId
  for (const event of events.filter((one) => !isRepeated(one))) scope.changes.emit(event)
  scope.changes.emit({ kind: 'changed', clusterId, version: done.cluster.configVersion })
  return done
}

/** A transaction as the database of a scope: the transactions that are made with it are parts of it. */
const inTransaction = (tx: Tx) =>
  withOthers(tx as Scope['db'], { $transaction: <R>(work: (tx: Tx) => Promise<R>) => work(tx) })

async function refusedAt<R>(index: number, work: () => Promise<R>): Promise<R> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CallerError) throw new StepError(index, error)
    throw error
  }
}
