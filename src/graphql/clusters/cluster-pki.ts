import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { importClusterPki } from '../../domain/pki/cluster-pki.ts'
import { importedCaWarnings } from '../../domain/warnings/clusters.ts'
import { builder } from '../kit/builder.ts'
import { changed, clusterFields, termsFields } from '../changes/change.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'

builder.relayMutationField(
  'importClusterPki',
  {
    description: 'A CA that was created elsewhere, as the files that nebula-cert writes.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      caCertificate: t.string({ required: true, description: 'The content of `ca.crt`, PEM.' }),
      caKey: t.string({
        required: true,
        description: 'The content of `ca.key`, PEM. It is encrypted before it is stored, and never shown again.',
      }),
      passphrase: t.string({
        description: 'The passphrase of an encrypted key; null when the key is not encrypted. It is not stored.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Gives the cluster your own CA, or its present one again, which repairs a cluster whose key cannot be opened (`canBeSignedFor`). Refused if nodes hold certificates of another CA, unless the key of that CA cannot be opened: the nodes then move to the imported CA as in a rotation. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('importClusterPki', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => importClusterPki(scope, context.vault, clusterId, given(input)),
          warn: (facts) => importedCaWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The CA was imported.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version.'),
  },
)
