import type { Scope } from '../../auth/scope.ts'
import { NotFoundError } from '../../base/errors.ts'
import type { Cluster as ClusterRow, Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { getNode } from '../../domain/nodes/nodes.ts'
import { preview } from '../../domain/plan/preview.ts'
import { once, snapshotFacts, storedFacts, type ClusterFacts } from '../../domain/warnings/facts.ts'
import type { ChangeWarning } from '../../domain/warnings/warning.ts'
import { scopeOf } from '../kit/access.ts'
import type { Context } from '../kit/context.ts'
import { expensively } from '../kit/cost/expensive.ts'
import type { WarnedPlan } from './change-plan.ts'

export type Warnings = readonly ChangeWarning[]

/** What a mutation with warnings passes to its payload. */
export interface Warned {
  /** Computed once, when they are selected. */
  readonly warnings: () => Promise<Warnings>
}

/** What a change passes to its payload. */
export interface Changed<T> extends Warned {
  readonly value: T
  /** Null when the change was made. */
  readonly plan: WarnedPlan | null
}

/** The result of a change of a cluster, or of a node: the row, or an object with the row. */
export type OfCluster = ClusterRow | { readonly cluster: ClusterRow }
export type OfNode = NodeRow | { readonly node: NodeRow }

export const changedCluster = (value: OfCluster): ClusterRow => ('cluster' in value ? value.cluster : value)
export const changedNode = (value: OfNode): NodeRow => ('node' in value ? value.node : value)

/** The input that says where a change is made. */
export type Key = 'clusterId' | 'nodeId'

interface Place {
  readonly key: Key
  readonly id: string
}

/** How the caller wants a change to be made. */
interface Terms {
  readonly dryRun: boolean
  /** Null for any version. */
  readonly expectedVersion: number | null
}

/** A change, and the warnings about its result. */
interface Work<T> {
  readonly change: (scope: Scope) => Promise<T>
  readonly clusterOf: (value: T) => string
  readonly warn: (facts: ClusterFacts, value: T) => Promise<Warnings> | Warnings
}

/**
 * Makes a change, or with `dryRun` computes what it would do. Either way the same function computes the warnings, from
 * the state that the change left or would leave.
 */
export async function changed<T>(
  context: Context,
  { key, id }: Place,
  { dryRun, expectedVersion }: Terms,
  { change, clusterOf, warn }: Work<T>,
): Promise<Changed<T>> {
  const scope = expecting(scopeOf(context), expectedVersion)
  if (!dryRun) {
    const value = await change(scope)
    return { value, plan: null, ...warned(() => warn(storedFacts(scopeOf(context), clusterOf(value)), value)) }
  }
  const clusterId = key === 'clusterId' ? id : await clusterOfNode(scope, id)
  const enqueue = <R>(piece: (signal: AbortSignal) => Promise<R>) => expensively(context, piece)
  const { value, plan, after } = await preview(scope, clusterId, { work: change, enqueue })
  const { warnings } = warned(() => warn(snapshotFacts(after), value))
  return { value, plan: { ...plan, warnings }, warnings }
}

/** The warnings of a change that was made. */
export const warned = (warn: () => Promise<Warnings> | Warnings): Warned => ({ warnings: once(async () => warn()) })

async function clusterOfNode(scope: Scope, nodeId: string): Promise<string> {
  const node = await getNode(scope, nodeId, { select: { clusterId: true } })
  if (!node) throw new NotFoundError('Node')
  return node.clusterId
}
