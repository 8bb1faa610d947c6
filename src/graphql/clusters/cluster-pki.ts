import { importClusterPki } from '../../domain/pki/cluster-pki.ts'
import { importedCaWarnings } from '../../domain/warnings/clusters.ts'
import { clusterMutation } from '../changes/change-mutations.ts'

clusterMutation('importClusterPki', {
  description:
    'Gives the cluster your own CA, or its present one again, which repairs a cluster whose key cannot be opened (`canBeSignedFor`). Refused if nodes hold certificates of another CA, unless the key of that CA cannot be opened: the nodes then move to the imported CA as in a rotation.',
  input: 'A CA that was created elsewhere, as the files that nebula-cert writes.',
  fields: (t) => ({
    caCertificate: t.string({ required: true, description: 'The content of `ca.crt`, PEM.' }),
    caKey: t.string({
      required: true,
      description: 'The content of `ca.key`, PEM. It is encrypted before it is stored, and never shown again.',
    }),
    passphrase: t.string({
      description: 'The passphrase of an encrypted key; null when the key is not encrypted. It is not stored.',
    }),
  }),
  change: (scope, id, input, { vault }) => importClusterPki(scope, vault, id, input),
  warn: importedCaWarnings,
  done: 'The CA was imported.',
})
