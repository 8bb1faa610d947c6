import { ConflictError } from '../../base/errors.ts'
import { getCluster } from '../../domain/clusters/clusters.ts'
import { getNode } from '../../domain/nodes/nodes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster } from '../clusters/clusters.ts'
import { Node } from '../nodes/nodes.ts'

// With these a page can show both its user's change and the state that another caller has made meanwhile.
builder.objectFields(ConflictError, (t) => ({
  presentVersion: t.field({
    type: 'PositiveInt',
    nullable: true,
    description:
      'The cluster’s present `configVersion` if it is not the `expectedVersion`; null for any other conflict.',
    resolve: ({ outdated }) => outdated?.configVersion ?? null,
  }),
  presentCluster: t.prismaField({
    type: Cluster,
    nullable: true,
    description: 'The cluster as it is now; null when `presentVersion` is null.',
    resolve: (query, { outdated }, _args, context) =>
      outdated === null ? null : getCluster(scopeOf(context), outdated.clusterId, query),
  }),
  presentNode: t.prismaField({
    type: Node,
    nullable: true,
    description:
      'The node as it is now; null when `presentVersion` is null, and when the change is not a change of a node.',
    resolve: (query, { outdated }, _args, context) => {
      const nodeId = outdated?.nodeId ?? null
      return nodeId === null ? null : getNode(scopeOf(context), nodeId, query)
    },
  }),
}))
