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

export const ClusterConvergence = builder.objectRef<ConvergenceShape>('ClusterConvergence').implement({
  description:
    'How many of a cluster’s nodes have reached its newest published version. Only nodes with a certificate count: a node that no machine has taken yet runs nothing. `applied`, `pending` and `failed` add up to `total`. A node whose certificate has ended counts as failed, no matter which version it runs. Reports of the last second may be missing.',
  fields: (t) => ({
    version: t.expose('version', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The newest published version; null before the first, when there is nothing to apply.',
    }),
    total: t.exposeInt('total', { description: 'All nodes that have a certificate.' }),
    applied: t.exposeInt('applied', {
      description:
        'Nodes that run the newest version and have a valid certificate; before the first version, all nodes with a valid certificate.',
    }),
    pending: t.exposeInt('pending', {
      description: 'Nodes that do not run it yet, have reported no error and have a valid certificate.',
    }),
    failed: t.exposeInt('failed', {
      description:
        'Nodes that do not run it and have reported why (`lastError`), and nodes whose certificate has ended (`certificateEnded`).',
    }),
    certificateEnded: t.exposeInt('certificateEnded', {
      description:
        'Nodes of `failed` whose certificate has ended, so that no other node lets them in. Once every CA that the nodes trust has ended, these are all nodes.',
    }),
    certificateEndsSoon: t.int({
      description:
        'Nodes whose certificate was not renewed in time and ends soon, as `CertificateStatus.ENDS_SOON` defines it for the cluster’s `certificateLifetimeDays`. Each is also counted above.',
      resolve: ({ clusterId }, _args, context) =>
        context.loaders.load(
          { place: 'convergence', purpose: 'ending' },
          clusterId,
          (ids) => countEndingSoon(scopeOf(context), ids),
          () => 0,
        ),
    }),
    unseen: t.int({
      description: `Nodes that were not seen in the last ${unseenAfter / 60_000} minutes, or never. Each is also counted above.`,
      resolve: ({ clusterId }, _args, context) =>
        context.loaders.load(
          { place: 'convergence', purpose: 'unseen' },
          clusterId,
          (ids) => countUnseen(scopeOf(context), ids),
          () => 0,
        ),
    }),
    slowestVersion: t.expose('slowestVersion', {
      type: 'PositiveInt',
      nullable: true,
      description:
        'The lowest version that a node runs; null when a node runs no version, and when there are no nodes.',
    }),
    behindSince: t.expose('behindSince', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'Since when the slowest node has been behind: when the first version that it does not run was published. Null when all nodes run the newest.',
    }),
    furthestBehind: t.field({
      type: [Node],
      description:
        'The nodes that are furthest behind, those that run no version first; empty when all run the newest.',
      args: { first: t.arg.int({ defaultValue: 5, description: `How many nodes to list; 1 to ${mostBehind}.` }) },
      resolve: async ({ clusterId, version }, { first }, context, info) => {
        const limit = first ?? 5
        if (limit < 1 || limit > mostBehind) throw badUserInput(`first: must be 1 to ${mostBehind}`)
        const place = { place: info.fieldNodes[0], purpose: 'slowest' }
        const batch = (ids: readonly string[]) => listSlowest(scopeOf(context), ids, limit)
        const nodes = await context.loaders.load(place, clusterId, batch, () => [])
        return nodes.filter(({ runningConfigVersion }) => (runningConfigVersion ?? 0) < (version ?? 0))
      },
    }),
  }),
})

builder.objectField(Cluster, 'convergence', (t) =>
  t.field({
    type: ClusterConvergence,
    description: 'How many of its nodes have reached the newest published version.',
    resolve: ({ id }, _args, context) =>
      context.loaders.load(
        { place: 'cluster', purpose: 'convergence' },
        id,
        (ids) => getConvergence(scopeOf(context), ids),
        noConvergence,
      ),
  }),
)
