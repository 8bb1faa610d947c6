import type { ClusterFigures as Figures } from '../../domain/fleet/figures.ts'
import {
  getFigures,
  getFleet,
  mostClusters,
  type Fleet as Shape,
  type TenantFigures,
} from '../../domain/fleet/fleet.ts'
import { atMost } from '../bundles/bundle-diff.ts'
import { CaRotationPhase } from '../clusters/ca-rotation.ts'
import { CertificateStatus } from '../clusters/certificate-status.ts'
import { Cluster, loadCluster } from '../clusters/clusters.ts'
import { ClusterConvergence } from '../clusters/convergence.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

const within7Days = 'Certificates of its nodes that are valid now and end within 7 days.'
const within30Days =
  'Certificates of its nodes that are valid now and end within 30 days, those of the next 7 included.'

const NodeCounts = builder.objectRef<Figures['nodes']>('NodeCounts').implement({
  description: 'Numbers of nodes by `NodeStatus`. Each node is counted once.',
  fields: (t) => ({
    all: t.int({
      description: 'All nodes.',
      resolve: (counts) => Object.values(counts).reduce((sum, count) => sum + count, 0),
    }),
    online: t.exposeInt('ONLINE', { description: 'Nodes that are `NodeStatus.ONLINE`.' }),
    outdated: t.exposeInt('OUTDATED', { description: 'Nodes that are `NodeStatus.OUTDATED`.' }),
    failing: t.exposeInt('FAILING', { description: 'Nodes that are `NodeStatus.FAILING`.' }),
    offline: t.exposeInt('OFFLINE', { description: 'Nodes that are `NodeStatus.OFFLINE`.' }),
    pending: t.exposeInt('PENDING', { description: 'Nodes that are `NodeStatus.PENDING`.' }),
    blocked: t.exposeInt('BLOCKED', { description: 'Nodes that are `NodeStatus.BLOCKED`.' }),
  }),
})

export const ClusterFigures = builder.objectRef<Figures>('ClusterFigures').implement({
  description: 'How a cluster is, in numbers. Reports of the last second may be missing.',
  fields: (t) => ({
    cluster: t.field({
      type: Cluster,
      description: 'The cluster.',
      resolve: ({ clusterId }, _args, context, info) => loadCluster(clusterId, context, info),
    }),
    clusterId: t.expose('clusterId', { type: 'UUID', description: 'The cluster’s id.' }),
    name: t.exposeString('name', { description: 'The cluster’s name.' }),
    tenantId: t.expose('tenantId', { type: 'UUID', description: 'The id of the tenant that owns the cluster.' }),
    nodes: t.expose('nodes', { type: NodeCounts, description: 'All its nodes, by status.' }),
    convergence: t.expose('convergence', {
      type: ClusterConvergence,
      description: 'How many of its nodes have reached the newest published version.',
    }),
    certificatesEndingWithin7Days: t.int({
      description: within7Days,
      resolve: ({ certificatesEnding }) => certificatesEnding.within7Days,
    }),
    certificatesEndingWithin30Days: t.int({
      description: within30Days,
      resolve: ({ certificatesEnding }) => certificatesEnding.within30Days,
    }),
    caExpiresAt: t.expose('caExpiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When the CA that signs ends; null until the cluster has a CA.',
    }),
    caStatus: t.expose('caStatus', {
      type: CertificateStatus,
      nullable: true,
      description: 'How close that CA is to its end; null until the cluster has a CA.',
    }),
    caRotationPhase: t.expose('caRotationPhase', {
      type: CaRotationPhase,
      nullable: true,
      description: 'How far the rotation of its CA has progressed; null when there is no rotation.',
    }),
    unpublishedVersions: t.exposeInt('unpublishedVersions', {
      description:
        'By how many versions `configVersion` is ahead of the newest published one; 0 when everything is published. Publishing takes about a second: a number that stays means that it fails.',
    }),
    unpublishedSince: t.expose('unpublishedSince', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'Since when a change waits to be published; null when nothing waits. Of changes that were made while the last version was compiled, when that began.',
    }),
  }),
})

const TenantFiguresType = builder.objectRef<TenantFigures>('TenantFigures').implement({
  description: 'How the clusters of a tenant are, as sums over those that the fleet shows.',
  fields: (t) => ({
    tenant: t.field({
      type: Tenant,
      description: 'The tenant.',
      resolve: ({ tenantId }, _args, context, info) => loadTenant(tenantId, context, info),
    }),
    clusters: t.exposeInt('clusters', { description: 'Its clusters.' }),
    nodes: t.expose('nodes', { type: NodeCounts, description: 'All its nodes, by status.' }),
    total: t.exposeInt('total', { description: 'Nodes that have a certificate.' }),
    applied: t.exposeInt('applied', { description: 'Nodes as `ClusterConvergence.applied` counts them.' }),
    pending: t.exposeInt('pending', { description: 'Nodes as `ClusterConvergence.pending` counts them.' }),
    failed: t.exposeInt('failed', { description: 'Nodes as `ClusterConvergence.failed` counts them.' }),
    certificatesEndingWithin7Days: t.exposeInt('certificatesEndingWithin7Days', { description: within7Days }),
    certificatesEndingWithin30Days: t.exposeInt('certificatesEndingWithin30Days', { description: within30Days }),
    caExpiresAt: t.expose('caExpiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When the first of its clusters’ CAs ends; null when none has a CA.',
    }),
    rotating: t.exposeInt('rotating', { description: 'Clusters whose CA is being rotated.' }),
    unpublished: t.exposeInt('unpublished', { description: 'Clusters with changes that are not published yet.' }),
  }),
})

const firstDescription = `How many to show, at most ${mostClusters}.`

/** The edges below each element cost as much as they do elsewhere: a query that follows them shows fewer. */
const firstOf = <Shown>(all: readonly Shown[], first: number | null | undefined): Shown[] =>
  all.slice(0, atMost(first ?? mostClusters, mostClusters))

const Fleet = builder.objectRef<Shape>('Fleet').implement({
  description: `The figures of all clusters that a caller sees; at most ${mostClusters}.`,
  fields: (t) => ({
    clusters: t.field({
      type: [ClusterFigures],
      description: 'The figures of each cluster, ordered by name.',
      args: { first: t.arg.int({ defaultValue: mostClusters, description: firstDescription }) },
      resolve: ({ clusters }, { first }) => firstOf(clusters, first),
    }),
    tenants: t.field({
      type: [TenantFiguresType],
      description: 'The sums of each tenant that has a cluster here.',
      args: { first: t.arg.int({ defaultValue: mostClusters, description: firstDescription }) },
      resolve: ({ tenants }, { first }) => firstOf(tenants, first),
    }),
    isTruncated: t.exposeBoolean('isTruncated', {
      description:
        'Whether there are more clusters than `clusters` shows. The sums lack them, too: ask for one tenant, or page through `clusters` of the root and ask for `Cluster.figures`.',
    }),
  }),
})

builder.queryField('fleet', (t) =>
  t.field({
    type: Fleet,
    description:
      'How all clusters are that you see: those of every tenant for operators, your own for a tenant’s admins and viewers. Follow it with `fleetChanged`.',
    // As much as counting a hundred thousand nodes costs: few of them fit into one request.
    complexity: { field: 5000, multiplier: 1 },
    authScopes: { tenantReader: true },
    args: {
      tenantId: t.arg({ type: 'UUID', description: 'Only clusters of this tenant; all that you see when null.' }),
    },
    resolve: (_root, { tenantId }, context) => getFleet(scopeOf(context), tenantId ?? null, context.left()),
  }),
)

builder.objectField(Cluster, 'figures', (t) =>
  t.field({
    type: ClusterFigures,
    description: 'How it is, in numbers, as `Query.fleet` shows it.',
    resolve: ({ id }, _args, context) =>
      context.loaders.load(
        { place: 'cluster', purpose: 'figures' },
        id,
        (ids) => getFigures(scopeOf(context), ids, { signal: context.left() }),
        () => new Error('the cluster is gone'),
      ),
  }),
)
