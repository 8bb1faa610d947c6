import { maxDiffedFiles } from '../../domain/bundles/read/file-diff.ts'
import type { ChangePlan as ChangePlanShape, NodePlan as NodePlanShape } from '../../domain/plan/change-plan.ts'
import type { ChangeWarning as ChangeWarningShape } from '../../domain/warnings/warning.ts'
import { builder, pageSizes } from '../kit/builder.ts'
import { atMost } from '../bundles/bundle-diff.ts'
import { ChangeWarning, warningsDescription } from './change-warnings.ts'
import { FileDiff } from '../bundles/file-diffs.ts'

const NodeAction = builder.enumType('NodeAction', {
  description: 'What a node’s Nebula must do to run a changed configuration.',
  values: {
    NONE: { value: 'none', description: 'Nothing.' },
    RELOAD: { value: 'reload', description: 'Read its files again; its tunnels stay.' },
    RESTART: { value: 'restart', description: 'Restart; its tunnels are set up again.' },
  } as const,
})

const NodePlan = builder.objectRef<NodePlanShape>('NodePlan').implement({
  description: 'What a change would do to one node.',
  fields: (t) => ({
    nodeId: t.field({ type: 'UUID', description: 'The node’s id.', resolve: ({ id }) => id }),
    name: t.exposeString('name', { description: 'The node’s name.' }),
    files: t.stringList({
      description: 'Which of the node’s files would differ, as paths in the bundle’s archive.',
      resolve: ({ files }) => [...files],
    }),
    action: t.expose('action', {
      type: NodeAction,
      description:
        'What its Nebula would have to do. If the node never reported its version of Nebula, what 1.6.1 would have to do.',
    }),
  }),
})

/** A plan with the warnings about its change, which are computed when they are selected. */
export interface WarnedPlan extends ChangePlanShape {
  readonly warnings: () => Promise<readonly ChangeWarningShape[]>
}

export const ChangePlan = builder.objectRef<WarnedPlan>('ChangePlan').implement({
  description: 'What a change would do. Nothing was changed.',
  fields: (t) => ({
    version: t.expose('version', {
      type: 'PositiveInt',
      description: 'The `configVersion` that the change would lead to.',
    }),
    nodeCount: t.expose('nodeCount', {
      type: 'NonNegativeInt',
      description: 'How many nodes would get different files. A node that the change would delete does not count.',
    }),
    nodes: t.field({
      type: [NodePlan],
      description: 'These nodes, ordered by name.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: `How many nodes to list, at most ${pageSizes.most}.` }),
      },
      resolve: ({ nodes }, { first }) => nodes(atMost(first ?? 50, pageSizes.most)),
    }),
    fileCount: t.expose('fileCount', { type: 'NonNegativeInt', description: 'How many files would differ.' }),
    files: t.field({
      type: [FileDiff],
      description:
        'The files that would differ, ordered by path. Certificates that are yet to be signed have no `diff`.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: `How many files to list, at most ${maxDiffedFiles}.` }),
      },
      resolve: ({ files }, { first }) => files(atMost(first ?? 50, maxDiffedFiles)),
    }),
    warnings: t.field({
      type: [ChangeWarning],
      description: warningsDescription,
      resolve: async ({ warnings }) => [...(await warnings())],
    }),
  }),
})
