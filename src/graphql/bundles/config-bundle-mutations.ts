import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { deleteConfigBundle, deleteOldConfigBundles } from '../../domain/bundles/config-bundles.ts'
import { createConfigBundle, rollbackClusterConfig } from '../../domain/bundles/config-uploads.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { configurationWarnings } from '../../domain/warnings/clusters.ts'
import { authorOf, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { changed, clusterFields, expectedVersionField, termsFields, warned, warningsField } from '../changes/change.ts'
import { ConfigBundle } from './config-bundles.ts'
import { outcome } from '../kit/errors.ts'
import { expensively } from '../kit/expensive.ts'

builder.relayMutationField(
  'createConfigBundle',
  {
    description: 'An archive to publish.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      archive: t.field({
        type: 'File',
        required: true,
        description: 'A tar.gz with a `config.yml` at its root: at most 10 MiB, and 64 MiB unpacked.',
      }),
      message: t.string({
        description: 'What changed, for people who read the list of versions; at most 1000 characters.',
      }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Publishes an uploaded archive as the next version. Its `config.yml` and further files become the shared configuration, and its firewall becomes the cluster’s. The files of every node are compiled from it. For operators, tenant admins and admin nodes; an admin node may not change the firewall this way. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('createConfigBundle', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: async (_root, { input: { clusterId, archive, message, expectedVersion } }, context) => {
      const scope = expecting(scopeOf(context), expectedVersion)
      const upload = { clusterId, archive: archive.stream(), message: message ?? undefined }
      const means = { scope, vault: context.vault }
      const bundle = await expensively(context, () => createConfigBundle(means, authorOf(context), upload))
      return { bundle, ...warned(context, (facts) => configurationWarnings(facts(clusterId), ['input', 'archive'])) }
    },
  },
  {
    description: 'The archive was published.',
    outputFields: (t) => ({
      configBundle: t.field({ type: ConfigBundle, description: 'The new version.', resolve: ({ bundle }) => bundle }),
      warnings: warningsField(t),
    }),
  },
)

builder.relayMutationField(
  'rollbackClusterConfig',
  {
    description: 'The version to go back to.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      version: t.field({
        type: 'PositiveInt',
        required: true,
        description: 'The stored version whose shared configuration and firewall are to be restored.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Restores the shared configuration and the firewall of an old version, as a new version with the present nodes, certificates and revocations. For operators, tenant admins and admin nodes; an admin node may not change the firewall this way. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('rollbackClusterConfig', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, version, dryRun, expectedVersion } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => rollbackClusterConfig(scope, authorOf(context), { clusterId, version }),
          warn: (facts) => configurationWarnings(facts(clusterId), ['input', 'version']),
        },
      ),
  },
  {
    description: 'The configuration was restored.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version, which is published in a moment.'),
  },
)

builder.relayMutationField(
  'deleteConfigBundle',
  {
    description: 'The version to delete.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      version: t.field({ type: 'PositiveInt', required: true, description: 'The number of the version.' }),
    }),
  },
  {
    description:
      'Deletes one stored version; its number is never used again. The version whose shared configuration is in force cannot be deleted. For operators, tenant admins and admin nodes.',
    authScopes: { clusterWriter: true },
    errors: outcome('deleteConfigBundle', NotFoundError, ConflictError),
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
      keep: t.int({ required: true, description: 'How many of the newest versions to keep: 1 to 10000.' }),
    }),
  },
  {
    description:
      'Deletes all versions except the newest ones and the one whose shared configuration is in force. For operators, tenant admins and admin nodes.',
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
        description: 'How many versions were deleted.',
        resolve: ({ deleted }) => deleted,
      }),
    }),
  },
)
