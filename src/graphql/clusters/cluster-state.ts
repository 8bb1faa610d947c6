import { NotFoundError, ValidationError } from '../../base/errors.ts'
import type { ClusterState as ClusterStateRow } from '../../db/generated/sqlite/client.ts'
import {
  deleteClusterState,
  getClusterState,
  getStaleClusters,
  listClusterStates,
  mostStaleClusters,
  upsertClusterState,
} from '../../domain/clusters/cluster-state.ts'
import { clusterIdField } from '../changes/change-fields.ts'
import { mutation, type InputFields, type PayloadFields } from '../changes/mutation.ts'
import { operatorOf, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster, loadCluster } from './clusters.ts'

const ClusterState = builder.prismaObject('ClusterState', {
  description: 'Which version of a cluster’s configuration an instance of the control plane runs.',
  select: { clusterId: true, instanceId: true },
  fields: (t) => ({
    cluster: t.field({
      type: Cluster,
      description: 'The cluster.',
      select: { clusterId: true },
      resolve: ({ clusterId }, _args, context, info) => loadCluster(clusterId, context, info),
    }),
    instanceId: t.expose('instanceId', {
      type: 'UUID',
      description: 'The id of the instance: the `id` of its `Replica`.',
    }),
    runningConfigVersion: t.expose('runningConfigVersion', {
      type: 'PositiveInt',
      description:
        'The version that the instance runs; lower than the cluster’s `configVersion` until it has caught up.',
    }),
    updatedAt: t.expose('updatedAt', { type: 'DateTimeISO', description: 'When the instance last reported.' }),
  }),
})

builder.objectFields(Cluster, (t) => ({
  state: t.field({
    type: ClusterState,
    nullable: true,
    description:
      'Which version of the cluster one instance of the control plane runs; null if it has not reported one.',
    args: { instanceId: t.arg({ type: 'UUID', required: true, description: 'The id of the instance.' }) },
    resolve: ({ id }, { instanceId }, context, info) => {
      const scope = scopeOf(context)
      const place = { place: info.fieldNodes[0], purpose: instanceId }
      return context.loaders.load(
        place,
        id,
        (ids) => getClusterState(scope, instanceId, ids),
        () => null,
      )
    },
  }),
  states: t.field({
    type: [ClusterState],
    description:
      'Which version each instance of the control plane has reported for the cluster, the newest report first.',
    resolve: ({ id }, _args, context) => {
      const scope = scopeOf(context)
      const place = { place: 'cluster', purpose: 'states' }
      return context.loaders.load(
        place,
        id,
        (ids) => listClusterStates(scope, ids),
        () => [],
      )
    },
  }),
}))

builder.queryField('staleClusters', (t) =>
  t.prismaField({
    type: [Cluster],
    description: `The clusters of which an instance runs an outdated version or no version, ordered by name; at most ${mostStaleClusters}: ask again once the instance runs these. For operators.`,
    authScopes: { operator: true },
    args: { instanceId: t.arg({ type: 'UUID', required: true, description: 'The id of the instance.' }) },
    resolve: (query, _root, { instanceId }, context) => getStaleClusters(operatorOf(context), instanceId, query),
  }),
)

const instanceIdField = (t: InputFields) =>
  t.field({ type: 'UUID', required: true, description: 'The id of the instance.' })

const stateField = (t: PayloadFields<ClusterStateRow>, description: string) =>
  t.field({ type: ClusterState, description, resolve: (state) => state })

mutation('reportClusterState', {
  description: 'Reports which version of a cluster runs on an instance of the control plane.',
  callers: 'operator',
  input: 'Which version of a cluster runs on an instance.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
    instanceId: instanceIdField(t),
    runningConfigVersion: t.field({
      type: 'PositiveInt',
      required: true,
      description: 'The version that the instance runs; at most the cluster’s `configVersion`.',
    }),
  }),
  errors: [ValidationError, NotFoundError],
  resolve: (input, context) => upsertClusterState(operatorOf(context), input),
  done: 'The report was stored.',
  payload: (t) => ({ clusterState: stateField(t, 'The report.') }),
})

mutation('deleteClusterState', {
  description: 'Deletes the report of an instance on a cluster that it no longer runs.',
  callers: 'operator',
  input: 'The report to delete.',
  fields: (t) => ({ clusterId: clusterIdField(t), instanceId: instanceIdField(t) }),
  errors: [NotFoundError],
  resolve: (input, context) => deleteClusterState(operatorOf(context), input),
  done: 'The report was deleted.',
  payload: (t) => ({ clusterState: stateField(t, 'The report as it was.') }),
})
