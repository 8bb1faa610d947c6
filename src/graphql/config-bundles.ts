import { actorOf, type SignedIn } from '../auth/session.ts'
import { LimitError, NotFoundError, ValidationError } from '../base/errors.ts'
import {
  createConfigBundle,
  deleteConfigBundle,
  deleteOldConfigBundles,
  getConfigBundle,
  getLatestConfigBundle,
  getLatestConfigBundles,
  listConfigBundles,
  type ConfigBundle as ConfigBundleRow,
} from '../domain/config-bundles.ts'
import { callerOf, scopeOf } from './access.ts'
import { builder } from './builder.ts'
import { Cluster, loadCluster } from './clusters.ts'
import { resolveConnection } from './connection.ts'
import type { Context } from './context.ts'
import { outcome } from './errors.ts'
import { loadNode, Node } from './nodes.ts'

const ConfigBundle = builder.prismaObject('ConfigBundle', {
  description: 'One published version of a cluster’s configuration. Its archive is downloaded over HTTP.',
  select: { clusterId: true, version: true },
  fields: (t) => ({
    version: t.expose('version', {
      type: 'PositiveInt',
      description: 'The `configVersion` it was made from; numbers may be missing, none is ever given twice.',
    }),
    cluster: t.field({
      type: Cluster,
      description: 'The cluster whose configuration it is.',
      select: { clusterId: true },
      resolve: ({ clusterId }, _args, context) => loadCluster(clusterId, context),
    }),
    createdBy: t.field({
      type: Node,
      nullable: true,
      description: 'The node that uploaded it; null where somebody else made it, or where the node was deleted.',
      select: { createdById: true },
      resolve: ({ createdById }, _args, context) => (createdById === null ? null : loadNode(createdById, context)),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When it was published.' }),
    sha256: t.exposeString('sha256', { description: 'SHA-256 of the archive, 64 hex digits.' }),
    size: t.expose('size', { type: 'NonNegativeInt', description: 'Size of the archive (tar.gz), bytes.' }),
    message: t.exposeString('message', { nullable: true, description: 'What changed, and who changed it.' }),
    downloadPath: t.string({
      description: 'Where the archive is downloaded on this server (GET, as an admin, with the same credential).',
      resolve: ({ clusterId, version }) => `/clusters/${clusterId}/bundles/${version}`,
    }),
  }),
})

const ConfigBundleConnection = builder.connectionObject(
  { type: ConfigBundle, name: 'ConfigBundleConnection', description: 'A page of versions, the newest first.' },
  { name: 'ConfigBundleEdge', description: 'A version and its place in the list.' },
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
      version: t.arg({ type: 'PositiveInt', description: 'Which version; the newest when null.' }),
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
  return context.loaders.load(place, clusterId, (ids) => getLatestConfigBundles(scope, ids), null)
}

builder.objectFields(Cluster, (t) => ({
  bundles: t.connection(
    {
      type: ConfigBundle,
      description: 'The published versions, the newest first.',
      resolve: ({ id }, args, context, info) =>
        resolveConnection<ConfigBundleRow>(listConfigBundles(), { args, context, info, parentId: id }),
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
    resolve: async ({ id }, _args, context) => (await latestOf(id, context))?.version ?? null,
  }),
}))

/** Who uploads: a node is kept as the bundle's author, everybody is named in its message. */
const authorOf = (caller: SignedIn) => ({
  nodeId: caller.kind === 'node' ? caller.nodeId : null,
  name: actorOf(caller),
})

builder.relayMutationField(
  'createConfigBundle',
  {
    description: 'An archive to publish.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      archive: t.field({
        type: 'File',
        required: true,
        description: 'tar.gz, at most 10 MiB and 64 MiB unpacked, with a `config.yml` at its root.',
      }),
      message: t.string({ description: 'What changed, for the people who read the list; at most 1000 characters.' }),
    }),
  },
  {
    description:
      'Publishes an uploaded archive as the next version. For operators, tenant admins and admin nodes. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('createConfigBundle', ValidationError, NotFoundError, LimitError),
    resolve: (_root, { input: { clusterId, archive, message } }, context) => {
      const caller = callerOf(context)
      const upload = { clusterId, archive: archive.stream(), message: message ?? undefined }
      return createConfigBundle(caller.scope, authorOf(caller), upload)
    },
  },
  {
    description: 'The archive was published.',
    outputFields: (t) => ({
      configBundle: t.field({ type: ConfigBundle, description: 'The new version.', resolve: (bundle) => bundle }),
    }),
  },
)

builder.relayMutationField(
  'deleteConfigBundle',
  {
    description: 'The version to delete.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      version: t.field({ type: 'PositiveInt', required: true, description: 'Which version.' }),
    }),
  },
  {
    description:
      'Deletes one stored version; its number is never given again. For operators, tenant admins and admin nodes.',
    authScopes: { clusterWriter: true },
    errors: outcome('deleteConfigBundle', NotFoundError),
    resolve: (_root, { input: { clusterId, version } }, context) =>
      deleteConfigBundle(scopeOf(context), clusterId, version),
  },
  {
    description: 'The version was deleted.',
    outputFields: (t) => ({
      configBundle: t.field({ type: ConfigBundle, description: 'The version as it was.', resolve: (bundle) => bundle }),
    }),
  },
)

builder.relayMutationField(
  'deleteOldConfigBundles',
  {
    description: 'How many versions to keep.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      keep: t.int({ required: true, description: 'How many of the newest versions stay: 1 to 10000.' }),
    }),
  },
  {
    description: 'Deletes all but the newest versions. For operators, tenant admins and admin nodes.',
    authScopes: { clusterWriter: true },
    errors: outcome('deleteOldConfigBundles', ValidationError, NotFoundError),
    resolve: async (_root, { input: { clusterId, keep } }, context) => ({
      deleted: await deleteOldConfigBundles(scopeOf(context), clusterId, { keep }),
    }),
  },
  {
    description: 'The old versions were deleted.',
    outputFields: (t) => ({
      deletedCount: t.field({
        type: 'NonNegativeInt',
        description: 'How many versions went.',
        resolve: ({ deleted }) => deleted,
      }),
    }),
  },
)
