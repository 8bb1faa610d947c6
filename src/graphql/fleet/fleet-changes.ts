import { followFleet, type FleetChange as Change } from '../../domain/fleet/follow.ts'
import { problemKinds, type ProblemKind } from '../../domain/fleet/problems.ts'
import { builder } from '../kit/builder.ts'
import { listenerOf } from '../kit/listener.ts'
import { ClusterFigures } from './fleet.ts'

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

const problems: Record<ProblemKind, string> = {
  NODES_FAILED: 'More nodes than before count as `ClusterConvergence.failed`.',
  NODES_OFFLINE: 'More nodes than before are `NodeStatus.OFFLINE`. Found by a look every half minute.',
  NODES_BLOCKED: 'More nodes than before are blocked.',
  CERTIFICATES_END_SOON: 'More certificates than before end within 7 days.',
  CERTIFICATES_ENDED: 'More nodes than before have a certificate that has ended.',
  CA_ENDS_SOON: 'The CA that signs ends soon, as `CertificateStatus.ENDS_SOON` defines it.',
  CA_ENDED: 'The CA that signs has ended.',
  UNPUBLISHED: 'Changes have not been published for half a minute or more.',
}

const FleetProblemKind = builder.enumType('FleetProblemKind', {
  description: 'What got worse in a cluster.',
  values: Object.fromEntries(problemKinds.map((kind) => [kind, { value: kind, description: problems[kind] }])),
})

const FleetResync = builder.objectRef<Of<'resync'>>('FleetResync').implement({
  description: 'Read the fleet again: the stream begins here, or too much has happened to report each change.',
  fields: (t) => ({
    tenantId: t.expose('tenantId', {
      type: 'UUID',
      nullable: true,
      description: 'The tenant whose clusters the stream follows; null for those of all tenants.',
    }),
  }),
})

const FiguresChanged = builder.objectRef<Of<'figures'>>('FleetFiguresChanged').implement({
  description: 'The figures of a cluster changed. Sent at most once a second for each cluster.',
  fields: (t) => ({ figures: t.expose('figures', { type: ClusterFigures, description: 'The figures now.' }) }),
})

const FleetProblem = builder.objectRef<Of<'problem'>>('FleetProblem').implement({
  description: 'Something got worse in a cluster. Sent before figures that wait for the reader.',
  fields: (t) => ({
    problem: t.expose('problem', { type: FleetProblemKind, description: 'What got worse.' }),
    figures: t.expose('figures', { type: ClusterFigures, description: 'The figures that show it.' }),
  }),
})

const FleetClusterAdded = builder.objectRef<Of<'clusterAdded'>>('FleetClusterAdded').implement({
  description: 'A cluster was created.',
  fields: (t) => ({ figures: t.expose('figures', { type: ClusterFigures, description: 'Its figures now.' }) }),
})

const FleetClusterRemoved = builder.objectRef<Of<'clusterRemoved'>>('FleetClusterRemoved').implement({
  description: 'A cluster was deleted.',
  fields: (t) => ({
    clusterId: t.expose('clusterId', { type: 'UUID', description: 'The id of the deleted cluster.' }),
  }),
})

type TenantChange = Of<'tenantAdded' | 'tenantRemoved'>

const FleetTenantAdded = builder.objectRef<TenantChange>('FleetTenantAdded').implement({
  description: 'A tenant was created. Sent to operators only.',
  fields: (t) => ({ tenantId: t.expose('tenantId', { type: 'UUID', description: 'The id of the new tenant.' }) }),
})

const FleetTenantRemoved = builder.objectRef<TenantChange>('FleetTenantRemoved').implement({
  description: 'A tenant was deleted, after its clusters. Sent to operators only.',
  fields: (t) => ({ tenantId: t.expose('tenantId', { type: 'UUID', description: 'The id of the deleted tenant.' }) }),
})

const typeOf = {
  resync: FleetResync,
  figures: FiguresChanged,
  problem: FleetProblem,
  clusterAdded: FleetClusterAdded,
  clusterRemoved: FleetClusterRemoved,
  tenantAdded: FleetTenantAdded,
  tenantRemoved: FleetTenantRemoved,
} as const

const FleetChange = builder.unionType('FleetChange', {
  description: 'One change of a fleet.',
  types: Object.values(typeOf),
  resolveType: ({ kind }) => typeOf[kind],
})

builder.subscriptionField('fleetChanged', (t) =>
  t.field({
    type: FleetChange,
    description:
      'The changes of all clusters that you see, as they happen. The stream begins with a `FleetResync`: read `fleet` then. A slow reader gets only the latest figures of each cluster, or another `FleetResync` if it has missed too much. The stream ends when the caller’s credential ends, when the tenant is deleted or when the server stops: subscribe again then. For operators, and a tenant’s admins and viewers.',
    authScopes: { tenantReader: true },
    args: {
      tenantId: t.arg({ type: 'UUID', description: 'Only clusters of this tenant; all that you see when null.' }),
    },
    subscribe: (_root, { tenantId }, context) => followFleet(context.live, tenantId ?? null, listenerOf(context)),
    resolve: (change) => change,
  }),
)
