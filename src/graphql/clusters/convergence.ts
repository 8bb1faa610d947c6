import {
  countEndingSoon,
  countUnseen,
  getConvergence,
  listSlowest,
  mostBehind,
  noConvergence,
  unseenAfter,
  type Convergence as ConvergenceShape,
} from '../../domain/clusters/convergence.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster } from './clusters.ts'
import { badUserInput } from '../kit/errors.ts'
import { Node } from '../nodes/nodes.ts'

const ClusterConvergence = builder.objectRef<ConvergenceShape>('ClusterConvergence').implement({
  description:
    'How far a cluster’s nodes have come to its newest published version, as numbers of nodes. Those count that have a certificate: what no machine has taken yet runs nothing. `applied`, `pending` and `failed` add up to `total`; a node whose certificate has ended has failed, whatever it runs. What agents reported in the last second may be missing.',
  fields: (t) => ({
    version: t.expose('version', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The newest published version; null before the first, when nothing is to be applied.',
    }),
    total: t.exposeInt('total', { description: 'All nodes that have a certificate.' }),
    applied: t.exposeInt('applied', {
      description:
        'Those that run the newest version on a certificate that is valid; before there is one, all of these.',
    }),
    pending: t.exposeInt('pending', {
      description: 'Those that do not run it yet, have reported no error, and whose certificate is valid.',
    }),
    failed: t.exposeInt('failed', {
      description:
        'Those that do not run it and have reported why (`lastError`), and those whose certificate has ended (`certificateEnded`).',
    }),
    certificateEnded: t.exposeInt('certificateEnded', {
      description:
        'Those of `failed` whose certificate has ended, so that no other node lets them in: all of them once every CA has ended that they trust.',
    }),
    certificateEndsSoon: t.int({
      description:
        'Those whose certificate was not renewed in time and ends soon, as `CertificateStatus.ENDS_SOON` says of the cluster’s `certificateLifetimeDays`; each is one of the above, too.',
      resolve: ({ clusterId }, _args, context) =>
        context.loaders.load(
          { place: 'convergence', purpose: 'ending' },
          clusterId,
          (ids) => countEndingSoon(scopeOf(context), ids),
          0,
        ),
    }),
    unseen: t.int({
      description: `Those that were not seen in the last ${unseenAfter / 60_000} minutes, or never; each is one of the above, too.`,
      resolve: ({ clusterId }, _args, context) =>
        context.loaders.load(
          { place: 'convergence', purpose: 'unseen' },
          clusterId,
          (ids) => countUnseen(scopeOf(context), ids),
          0,
        ),
    }),
    slowestVersion: t.expose('slowestVersion', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The lowest version that one of them runs; null when one runs none, and when there are no nodes.',
    }),
    behindSince: t.expose('behindSince', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'Since when the slowest one is behind: when the first version that it does not run was published. Null when all run the newest.',
    }),
    furthestBehind: t.field({
      type: [Node],
      description: 'The nodes that are furthest behind, those that run no version first; none when all run the newest.',
      args: { first: t.arg.int({ defaultValue: 5, description: `How many; 1 to ${mostBehind}.` }) },
      resolve: async ({ clusterId, version }, { first }, context, info) => {
        const limit = first ?? 5
        if (limit < 1 || limit > mostBehind) throw badUserInput(`first: must be 1 to ${mostBehind}`)
        const place = { place: info.fieldNodes[0], purpose: 'slowest' }
        const batch = (ids: readonly string[]) => listSlowest(scopeOf(context), ids, limit)
        const nodes = await context.loaders.load(place, clusterId, batch, [])
        return nodes.filter(({ runningConfigVersion }) => (runningConfigVersion ?? 0) < (version ?? 0))
      },
    }),
  }),
})

builder.objectField(Cluster, 'convergence', (t) =>
  t.field({
    type: ClusterConvergence,
    description: 'How far its nodes have come to the newest published version.',
    resolve: ({ id }, _args, context) =>
      context.loaders.load(
        { place: 'cluster', purpose: 'convergence' },
        id,
        (ids) => getConvergence(scopeOf(context), ids),
        noConvergence(id),
      ),
  }),
)
