import { diffConfigBundles, type BundleDiff } from '../../domain/bundles/bundle-diff.ts'
import { maxDiffedFiles } from '../../domain/bundles/read/file-diff.ts'
import { bundleReachOf, callerOf, forbidden } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { ConfigBundle } from './config-bundles.ts'
import { badUserInput } from '../kit/errors.ts'
import { expensively } from '../kit/cost/expensive.ts'
import { FileDiff } from './file-diffs.ts'

const ConfigDiff = builder.objectRef<BundleDiff>('ConfigDiff').implement({
  description:
    'What differs between the archives of two versions. The manifest and its signature are left out, since they follow from the other files.',
  fields: (t) => ({
    fileCount: t.expose('fileCount', { type: 'NonNegativeInt', description: 'How many files differ.' }),
    files: t.field({
      type: [FileDiff],
      description: 'The files that differ, ordered by path.',
      args: {
        first: t.arg.int({ defaultValue: 50, description: `How many files to list, at most ${maxDiffedFiles}.` }),
      },
      resolve: ({ files }, { first }) => files(atMost(first ?? 50, maxDiffedFiles)),
    }),
  }),
})

/** The `first` of a list that has no cursors. */
export function atMost(first: number, most: number): number {
  if (first < 0 || first > most) throw badUserInput(`\`first\` must be between 0 and ${most}`)
  return first
}

builder.objectField(ConfigBundle, 'diff', (t) =>
  t.field({
    type: ConfigDiff,
    nullable: true,
    description:
      'What changed since another version; null when that version does not exist. Nodes that are not admins see only the shared files and their own.',
    args: { against: t.arg({ type: 'PositiveInt', required: true, description: 'The other, older version.' }) },
    resolve: ({ clusterId, version }, { against }, context) => {
      const { scope } = callerOf(context)
      const reach = bundleReachOf(context.session)
      if (reach === 'none') throw forbidden()
      const versions = { clusterId, version, against }
      const onlyNode = reach === 'all' ? null : reach.nodeId
      return diffConfigBundles(scope, versions, { onlyNode, enqueue: (work) => expensively(context, work) })
    },
  }),
)
