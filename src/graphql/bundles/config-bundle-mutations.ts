import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { deleteConfigBundle, deleteOldConfigBundles } from '../../domain/bundles/config-bundles.ts'
import { createConfigBundle, rollbackClusterConfig } from '../../domain/bundles/config-uploads.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { configurationWarnings } from '../../domain/warnings/clusters.ts'
import { storedFacts } from '../../domain/warnings/facts.ts'
import { clusterIdField, expectedVersionField, warningsField } from '../changes/change-fields.ts'
import { clusterMutation } from '../changes/change-mutations.ts'
import { warned } from '../changes/change.ts'
import { mutation } from '../changes/mutation.ts'
import { authorOf, scopeOf } from '../kit/access.ts'
import { expensively } from '../kit/cost/expensive.ts'
import { ConfigBundle } from './config-bundles.ts'

mutation('createConfigBundle', {
  description:
    'Publishes an uploaded archive as the next version. Its `config.yml` and further files become the shared configuration, and its firewall becomes the cluster’s, which editors and admin nodes may not change this way. The files of every node are compiled from it.',
  callers: 'nodeWriter',
  bumps: true,
  input: 'An archive to publish.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
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
  errors: [ValidationError, NotFoundError, ConflictError, LimitError],
  resolve: async ({ clusterId, archive, message, expectedVersion }, context) => {
    const scope = expecting(scopeOf(context), expectedVersion)
    const upload = { clusterId, archive: archive.stream(), message }
    const dependencies = { scope, vault: context.vault }
    const bundle = await expensively(context, () => createConfigBundle(dependencies, authorOf(context), upload))
    const facts = storedFacts(scope, clusterId)
    return { bundle, ...warned(() => configurationWarnings(facts, ['input', 'archive'])) }
  },
  done: 'The archive was published.',
  payload: (t) => ({
    configBundle: t.field({ type: ConfigBundle, description: 'The new version.', resolve: ({ bundle }) => bundle }),
    warnings: warningsField(t),
  }),
})

clusterMutation('rollbackClusterConfig', {
  description:
    'Restores the shared configuration and the firewall of an old version, as a new version with the present nodes, certificates and revocations. Editors and admin nodes may not change the firewall this way.',
  callers: 'nodeWriter',
  input: 'The version to go back to.',
  fields: (t) => ({
    version: t.field({
      type: 'PositiveInt',
      required: true,
      description: 'The stored version whose shared configuration and firewall are to be restored.',
    }),
  }),
  change: (scope, clusterId, { version }, context) =>
    rollbackClusterConfig(scope, authorOf(context), { clusterId, version }),
  warn: (facts) => configurationWarnings(facts, ['input', 'version']),
  done: 'The configuration was restored.',
  shows: 'The cluster with its new version, which is published in a moment.',
})

mutation('deleteConfigBundle', {
  description:
    'Deletes one stored version; its number is never used again. The version whose shared configuration is in force cannot be deleted.',
  callers: 'clusterWriter',
  input: 'The version to delete.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
    version: t.field({ type: 'PositiveInt', required: true, description: 'The number of the version.' }),
  }),
  errors: [NotFoundError, ConflictError],
  resolve: ({ clusterId, version }, context) => deleteConfigBundle(scopeOf(context), clusterId, version),
  done: 'The version was deleted.',
  payload: (t) => ({
    configBundle: t.field({ type: ConfigBundle, description: 'The version as it was.', resolve: (bundle) => bundle }),
  }),
})

mutation('deleteOldConfigBundles', {
  description: 'Deletes all versions except the newest ones and the one whose shared configuration is in force.',
  callers: 'clusterWriter',
  input: 'How many versions to keep.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
    keep: t.int({ required: true, description: 'How many of the newest versions to keep: 1 to 10000.' }),
  }),
  errors: [ValidationError, NotFoundError],
  resolve: async ({ clusterId, keep }, context) => ({
    deleted: await deleteOldConfigBundles(scopeOf(context), clusterId, { keep }),
  }),
  done: 'The old versions were deleted.',
  payload: (t) => ({
    deletedCount: t.field({
      type: 'NonNegativeInt',
      description: 'How many versions were deleted.',
      resolve: ({ deleted }) => deleted,
    }),
  }),
})
