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

/** What a mutation gives its payload that has warnings. */
export interface Warned {
  /** Decided when they are asked for, and once. */
  readonly warnings: () => Promise<Warnings>
}

/** What a mutation that can be tried gives its payload. */
export interface Changed<T> extends Warned {
  readonly value: T
  /** Null where it was really done. */
  readonly plan: WarnedPlan | null
}

/** What a caller says of how a change is to be made. */
interface Terms {
  readonly dryRun: boolean | null | undefined
  readonly expectedVersion?: number | null | undefined
}

/** A change, and what may not work about what it gave. */
interface Work<T> {
  readonly change: (scope: Scope) => Promise<T>
  readonly warn: (facts: FactsOf, value: T) => Promise<Warnings> | Warnings
}

/**
 * Makes a change, or with `dryRun` looks at what it would do. Its warnings are decided by the same function from what the
 * change left, or would leave.
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

/** The warnings of what was really done. */
export function warned(context: Context, warn: (facts: FactsOf) => Promise<Warnings> | Warnings): Warned {
  // A change is of one cluster.
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
type PayloadFields<Shape> = PothosSchemaTypes.ObjectFieldBuilder<Types, Shape>

const dryRunDescription =
  'Whether to change nothing and tell in `plan` what would change; refused where the change would be. False when null.'

/** The input by which a change can be tried. */
export const dryRunField = (t: InputFields, further = '') =>
  t.boolean({ description: `${dryRunDescription}${further}` })

/** The input by which a caller replaces only what he has seen. */
export const expectedVersionField = (t: InputFields) =>
  t.field({
    type: 'PositiveInt',
    description:
      'The cluster’s `configVersion` that you saw: where it is another now, the change is refused, and the ConflictError has what is there. Changes whatever is there when null.',
  })

/** Both. */
export const termsFields = (t: InputFields, furtherOfDryRun = '') => ({
  expectedVersion: expectedVersionField(t),
  dryRun: dryRunField(t, furtherOfDryRun),
})

/** The payload's field of what may not work about a change. */
export const warningsField = <Shape extends Warned>(t: PayloadFields<Shape>) =>
  t.field({
    type: [ChangeWarning],
    description: warningsDescription,
    resolve: async ({ warnings }) => [...(await warnings())],
  })

/** What every change that can be tried says beside what it changed. */
export const changeFields = <Shape extends Changed<unknown>>(t: PayloadFields<Shape>) => ({
  plan: t.field({
    type: ChangePlan,
    nullable: true,
    description: 'What the change would do; null unless `dryRun`.',
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
