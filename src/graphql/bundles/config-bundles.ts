import {
  getConfigBundle,
  getLatestConfigBundle,
  getLatestConfigBundles,
  getLatestConfigBundleVersion,
  listConfigBundles,
  type ConfigBundle as ConfigBundleRow,
} from '../../domain/bundles/config-bundles.ts'
import type { ClusterFields } from '../../domain/clusters/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster, loadCluster } from '../clusters/clusters.ts'
import { OrderDirection } from '../kit/order.ts'
import { resolveConnection } from '../kit/connection.ts'
import type { Context } from '../kit/context.ts'
import { loadNode, Node } from '../nodes/nodes.ts'

export const ConfigBundle = builder.prismaObject('ConfigBundle', {
  description:
    'One published version of a cluster’s configuration. Its archive is downloaded over HTTP (`downloadPath`).',
  select: { clusterId: true, version: true },
  fields: (t) => ({
    version: t.expose('version', {
      type: 'PositiveInt',
      description: 'The `configVersion` that it was made from. Numbers may be missing, but no number is used twice.',
    }),
    cluster: t.field({
      type: Cluster,
      description: 'The cluster whose configuration it is.',
      select: { clusterId: true },
      resolve: ({ clusterId }, _args, context, info) => loadCluster(clusterId, context, info),
    }),
    createdBy: t.field({
      type: Node,
      nullable: true,
      description:
        'The node that uploaded it; null when a person or the server made it, or when that node was deleted.',
      select: { createdById: true },
      resolve: ({ createdById }, _args, context, info) =>
        createdById === null ? null : loadNode(createdById, context, info),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When it was published.' }),
    sha256: t.exposeString('sha256', { description: 'The SHA-256 hash of the archive, 64 hex digits.' }),
    size: t.expose('size', { type: 'NonNegativeInt', description: 'The size of the archive (tar.gz) in bytes.' }),
    message: t.exposeString('message', { nullable: true, description: 'What changed, and who changed it.' }),
    downloadPath: t.string({
      description:
        'The path on this server at which the archive is downloaded (GET, with the same credential). For operators, people of the tenant, and admin nodes.',
      resolve: ({ clusterId, version }) => `/clusters/${clusterId}/bundles/${version}`,
    }),
  }),
})

const ConfigBundleConnection = builder.connectionObject(
  { type: ConfigBundle, name: 'ConfigBundleConnection', description: 'A page of versions, newest first.' },
  { name: 'ConfigBundleEdge', description: 'A version and its cursor.' },
)

builder.queryField('configBundle', (t) =>
  t.field({
    type: ConfigBundle,
    nullable: true,
    description:
      'One published version; null when it does not exist or is not yours. For everybody but enrolling machines.',
    authScopes: { clusterReader: true },
    args: {
      clusterId: t.arg({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      version: t.arg({ type: 'PositiveInt', description: 'The number of the version; the newest one when null.' }),
    },
    resolve: (_root, { clusterId, version }, context) =>
      typeof version === 'number'
        ? getConfigBundle(scopeOf(context), clusterId, version)
        : getLatestConfigBundle(scopeOf(context), clusterId),
  }),
)

/** The newest version of each cluster of a list, in one statement. */
function latestOf(clusterId: string, context: Context): Promise<ConfigBundleRow | null> {
  const scope = scopeOf(context)
  const place = { place: ConfigBundle, purpose: 'latest' }
  return context.loaders.load(
    place,
    clusterId,
    (ids) => getLatestConfigBundles(scope, ids),
    () => null,
  )
}

const ConfigBundleOrderField = builder.enumType('ConfigBundleOrderField', {
  description: 'What published versions are ordered by.',
  values: {
    VERSION: { value: 'version', description: 'The number of the version.' },
    CREATED: { value: 'createdAt', description: 'When it was published.' },
  } as const,
})

const ConfigBundleOrder = builder.inputType('ConfigBundleOrder', {
  description: 'In which order to list published versions.',
  fields: (t) => ({
    field: t.field({ type: ConfigBundleOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'Which way.' }),
  }),
})

builder.objectFields(Cluster, (t) => ({
  bundles: t.connection(
    {
      type: ConfigBundle,
      description: 'The published versions.',
      args: { orderBy: t.arg({ type: ConfigBundleOrder, description: 'In which order; newest first when null.' }) },
      resolve: ({ id }, { orderBy, ...args }, context, info) =>
        resolveConnection<ConfigBundleRow>(listConfigBundles(orderBy ?? undefined), {
          args,
          context,
          info,
          parentId: id,
        }),
    },
    ConfigBundleConnection,
  ),
  latestBundle: t.field({
    type: ConfigBundle,
    nullable: true,
    description: 'The newest published version; null when there is none.',
    resolve: ({ id }, _args, context) => latestOf(id, context),
  }),
  latestBundleVersion: t.field({
    type: 'PositiveInt',
    nullable: true,
    description: 'The number of the newest published version; null when there is none.',
    extensions: { computedColumn: 'latestBundleVersion' },
    resolve: (cluster, _args, context) => {
      // The row of a cluster that was looked up by its id already has it.
      const { latestBundleVersion: known } = cluster as Partial<ClusterFields>
      return known === undefined ? getLatestConfigBundleVersion(scopeOf(context), cluster.id) : known
    },
  }),
}))
