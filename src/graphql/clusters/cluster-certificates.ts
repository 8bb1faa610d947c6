import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { updateClusterCertificates, updateClusterEnrollment } from '../../domain/pki/cluster-certificates.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { certificateWarnings, enrollmentWarnings } from '../../domain/warnings/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { changed, clusterFields, expectedVersionField, termsFields, warned, warningsField } from '../changes/change.ts'
import { Cluster } from './clusters.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'

builder.relayMutationField(
  'updateClusterCertificates',
  {
    description: 'The settings to change; a null field leaves its setting as it is.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      certificateVersion: t.int({
        description:
          'The Nebula certificate format: 1; or 2, if every node that has a certificate reports Nebula 1.10 or newer.',
      }),
      certificateLifetimeDays: t.int({
        description: 'How long certificates signed from now on are valid, in days: 1 to 3650.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Sets the format and the lifetime of the nodes’ certificates; refused while the CA is being rotated. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterCertificates', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => updateClusterCertificates(scope, clusterId, given(input)),
          warn: (facts) => certificateWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The certificate settings were changed.',
    outputFields: (t) => clusterFields(t),
  },
)

builder.relayMutationField(
  'updateClusterEnrollment',
  {
    description: 'The groups that enrolling machines may ask for.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      enrollGroups: t.stringList({
        required: true,
        description:
          'The groups that a machine may ask for when it enrols itself; replaces the present ones. At most 64.',
      }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Sets which groups a machine may ask for when it enrols itself. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterEnrollment', ValidationError, NotFoundError, ConflictError),
    resolve: async (_root, { input: { clusterId, expectedVersion, ...input } }, context) => {
      const scope = expecting(scopeOf(context), expectedVersion)
      const cluster = await updateClusterEnrollment(scope, clusterId, input)
      return { cluster, ...warned(context, () => enrollmentWarnings(cluster)) }
    },
  },
  {
    description: 'The groups were set.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: ({ cluster }) => cluster }),
      warnings: warningsField(t),
    }),
  },
)
