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
    description: 'A CA that was made elsewhere, in the files that nebula-cert writes.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      caCertificate: t.string({ required: true, description: 'The content of `ca.crt`, PEM.' }),
      caKey: t.string({
        required: true,
        description: 'The content of `ca.key`, PEM. It is sealed before it is stored and never shown again.',
      }),
      passphrase: t.string({ description: 'Of an encrypted key; null when the key is not encrypted. Not kept.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Gives the cluster a CA of your own, or its own again: where the key does not open (`canBeSignedFor`), that puts it right. Refused where nodes hold certificates of another one, unless its key does not open: then they are led to this one as by a rotation. For operators and tenant admins. Bumps `configVersion`.',
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
    description: 'The CA was taken over.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version.'),
  },
)
