import type { Scope } from '../auth/scope.ts'
import { NotFoundError } from '../base/errors.ts'
import { MAX_FILES } from '../domain/bundle/file-diff.ts'
import { expecting } from '../domain/expected-version.ts'
import type { ChangePlan as ChangePlanShape, NodePlan as NodePlanShape } from '../domain/plan/change-plan.ts'
import { getNode } from '../domain/nodes.ts'
import { preview } from '../domain/plan/preview.ts'
import { scopeOf } from './access.ts'
import { builder, pageSizes } from './builder.ts'
import { atMost } from './bundle-diff.ts'
import type { Context } from './context.ts'
import { expensively } from './expensive.ts'
import { FileDiff } from './file-diffs.ts'

const NodeAction = builder.enumType('NodeAction', {
  description: 'What a node’s Nebula needs to run something else.',
  values: {
    NONE: { value: 'none', description: 'Nothing.' },
    RELOAD: { value: 'reload', description: 'To read its files again; tunnels stay.' },
    RESTART: { value: 'restart', description: 'To be started again; its tunnels are made anew.' },
  } as const,
})

const NodePlan = builder.objectRef<NodePlanShape>('NodePlan').implement({
  description: 'What a change would do to one node.',
  fields: (t) => ({
    nodeId: t.field({ type: 'UUID', description: 'The node’s id.', resolve: ({ id }) => id }),
    name: t.exposeString('name', { description: 'The node’s name.' }),
    files: t.stringList({
      description: 'Which of the files that it is given would differ, as paths in the bundle’s archive.',
      resolve: ({ files }) => [...files],
    }),
    action: t.expose('action', {
      type: NodeAction,
      description: 'What its Nebula would need; of a node that never reported its release, what 1.6.1 needs.',
    }),
  }),
})

export const ChangePlan = builder.objectRef<ChangePlanShape>('ChangePlan').implement({
  description: 'What a change would do. Nothing was changed.',
  fields: (t) => ({
    version: t.expose('version', { type: 'PositiveInt', description: 'The `configVersion` that there would be.' }),
    nodeCount: t.expose('nodeCount', {
      type: 'NonNegativeInt',
      description: 'How many nodes would be given something else; a node that would be deleted is none of them.',
    }),
    nodes: t.field({
      type: [NodePlan],
      description: 'These nodes, by name.',
      args: { first: t.arg.int({ defaultValue: 50, description: `How many of them, at most ${pageSizes.most}.` }) },
      resolve: ({ nodes }, { first }) => nodes(atMost(first ?? 50, pageSizes.most)),
    }),
    fileCount: t.expose('fileCount', { type: 'NonNegativeInt', description: 'How many files would differ.' }),
    files: t.field({
      type: [FileDiff],
      description: 'The files that would differ, by path; certificates that are yet to be signed have no `diff`.',
      args: { first: t.arg.int({ defaultValue: 50, description: `How many of them, at most ${MAX_FILES}.` }) },
      resolve: ({ files }, { first }) => files(atMost(first ?? 50, MAX_FILES)),
    }),
  }),
})

/** What a mutation that can be tried gives its payload. */
export interface Changed<T> {
  readonly value: T
  /** Null where it was really done. */
  readonly plan: ChangePlanShape | null
}

export const dryRunDescription =
  'Whether to change nothing and tell in `plan` what would change; refused where the change would be. False when null.'
export const planDescription = 'What the change would do; null unless `dryRun`.'

export const expectedVersionDescription =
  'The cluster’s `configVersion` that you saw: where it is another now, the change is refused, and the ConflictError has what is there. Changes whatever is there when null.'

/** What a caller says of how a change is to be made. */
interface Terms {
  readonly dryRun: boolean | null | undefined
  readonly expectedVersion?: number | null | undefined
}

/** Makes a change, or with `dryRun` looks at what it would do. */
export async function changed<T>(
  context: Context,
  place: { readonly clusterId: string } | { readonly nodeId: string },
  { dryRun, expectedVersion }: Terms,
  work: (scope: Scope) => Promise<T>,
): Promise<Changed<T>> {
  const scope = expecting(scopeOf(context), expectedVersion)
  if (dryRun !== true) return { value: await work(scope), plan: null }
  const clusterId = 'clusterId' in place ? place.clusterId : await clusterOf(scope, place.nodeId)
  return preview(scope, clusterId, { work, inTurn: (piece) => expensively(context, piece) })
}

async function clusterOf(scope: Scope, nodeId: string): Promise<string> {
  const node = await getNode(scope, nodeId, { select: { clusterId: true } })
  if (!node) throw new NotFoundError('Node')
  return node.clusterId
}
