import type { Scope } from '../../auth/scope.ts'
import { NotFoundError } from '../../base/errors.ts'
import type { Cluster as ClusterRow, Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { getNode } from '../../domain/nodes/nodes.ts'
import { preview } from '../../domain/plan/preview.ts'
import { once, snapshotFacts, storedFacts, type ClusterFacts, type FactsOf } from '../../domain/warnings/facts.ts'
import type { ChangeWarning as ChangeWarningShape } from '../../domain/warnings/warning.ts'
import { scopeOf } from '../kit/access.ts'
import type { builder } from '../kit/builder.ts'
import { ChangePlan, type WarnedPlan } from './change-plan.ts'
import { ChangeWarning, warningsDescription } from './change-warnings.ts'
import { Cluster } from '../clusters/clusters.ts'
import type { Context } from '../kit/context.ts'
import { expensively } from '../kit/expensive.ts'
import { Node } from '../nodes/nodes.ts'

type Warnings = readonly ChangeWarningShape[]

/** What a mutation with warnings passes to its payload. */
export interface Warned {
  /** Computed once, when they are selected. */
  readonly warnings: () => Promise<Warnings>
}

/** What a mutation with a dry run passes to its payload. */
export interface Changed<T> extends Warned {
  readonly value: T
  /** Null when the change was made. */
  readonly plan: WarnedPlan | null
}

/** How the caller wants a change to be made. */
interface Terms {
  readonly dryRun: boolean | null | undefined
  readonly expectedVersion?: number | null | undefined
}

/** A change, and the warnings about its result. */
interface Work<T> {
  readonly change: (scope: Scope) => Promise<T>
  readonly warn: (facts: FactsOf, value: T) => Promise<Warnings> | Warnings
}

/**
 * Makes a change, or with `dryRun` computes what it would do. Either way the same function computes the warnings, from
 * the state that the change left or would leave.
 */
export async function changed<T>(
  context: Context,
  place: { readonly clusterId: string } | { readonly nodeId: string },
  { dryRun, expectedVersion }: Terms,
  { change, warn }: Work<T>,
): Promise<Changed<T>> {
  const scope = expecting(scopeOf(context), expectedVersion)
  if (dryRun !== true) {
    const value = await change(scope)
    return { value, plan: null, ...warned(context, (facts) => warn(facts, value)) }
  }
  const clusterId = 'clusterId' in place ? place.clusterId : await clusterOf(scope, place.nodeId)
  const inTurn = <R>(piece: (signal: AbortSignal) => Promise<R>) => expensively(context, piece)
  const { value, plan, after } = await preview(scope, clusterId, { work: change, inTurn })
  const facts = snapshotFacts(after)
  const warnings = once(async () => warn(() => facts, value))
  return { value, plan: { ...plan, warnings }, warnings }
}

/** The warnings of a change that was made. */
export function warned(context: Context, warn: (facts: FactsOf) => Promise<Warnings> | Warnings): Warned {
  // A change concerns one cluster.
  let facts: ClusterFacts | null = null
  return { warnings: once(async () => warn((clusterId) => (facts ??= storedFacts(scopeOf(context), clusterId)))) }
}

async function clusterOf(scope: Scope, nodeId: string): Promise<string> {
  const node = await getNode(scope, nodeId, { select: { clusterId: true } })
  if (!node) throw new NotFoundError('Node')
  return node.clusterId
}

type Types = typeof builder.$inferSchemaTypes
type InputFields = PothosSchemaTypes.InputFieldBuilder<Types, 'InputObject'>
/** What Pothos gives to a function that adds fields to a mutation's payload. */
export type PayloadFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>

const dryRunDescription =
  'Whether to change nothing and show in `plan` what would change. Refused if the change itself would be refused. False when null.'

/** The input for a dry run. */
export const dryRunField = (t: InputFields, further = '') =>
  t.boolean({ description: `${dryRunDescription}${further}` })

/** The input with which a caller changes only the state that it has seen. */
export const expectedVersionField = (t: InputFields) =>
  t.field({
    type: 'PositiveInt',
    description:
      'The cluster’s `configVersion` that you saw. If the present one differs, the change is refused, and the ConflictError has the present state. When null, the change is made at any version.',
  })

/** The inputs for both. */
export const termsFields = (t: InputFields, furtherOfDryRun = '') => ({
  expectedVersion: expectedVersionField(t),
  dryRun: dryRunField(t, furtherOfDryRun),
})

/** The payload's field for the warnings about a change. */
export const warningsField = <Shape extends Warned>(t: PayloadFields<Shape>) =>
  t.field({
    type: [ChangeWarning],
    description: warningsDescription,
    resolve: async ({ warnings }) => [...(await warnings())],
  })

/** The payload's fields that every change with a dry run has, besides the object that it changed. */
export const changeFields = <Shape extends Changed<unknown>>(t: PayloadFields<Shape>) => ({
  plan: t.field({
    type: ChangePlan,
    nullable: true,
    description: 'What the change would do; null unless `dryRun` is true.',
    resolve: ({ plan }) => plan,
  }),
  warnings: warningsField(t),
})

/** The payload of a change of a cluster. */
export const clusterFields = (t: PayloadFields<Changed<ClusterRow>>, description = 'The cluster as it is now.') => ({
  cluster: t.field({ type: Cluster, description, resolve: ({ value, plan }) => plan?.cluster ?? value }),
  ...changeFields(t),
})

/** The payload of a change of a node. */
export const nodeFields = (t: PayloadFields<Changed<NodeRow>>, description = 'The node as it is now.') => ({
  node: t.field({ type: Node, description, resolve: ({ value }) => value }),
  ...changeFields(t),
})
