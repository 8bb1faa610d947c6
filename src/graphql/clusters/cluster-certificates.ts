import { updateClusterCertificates, updateClusterEnrollment } from '../../domain/pki/cluster-certificates.ts'
import { certificateWarnings, enrollmentWarnings } from '../../domain/warnings/clusters.ts'
import { clusterMutation } from '../changes/change-mutations.ts'

clusterMutation('updateClusterCertificates', {
  together: true,
  description: 'Sets the format and the lifetime of the nodes’ certificates; refused while the CA is being rotated.',
  input: 'The settings to change; a null field leaves its setting as it is.',
  fields: (t) => ({
    certificateVersion: t.int({
      description:
        'The Nebula certificate format: 1; or 2, if every node that has a certificate reports Nebula 1.10 or newer.',
    }),
    certificateLifetimeDays: t.int({
      description: 'How long certificates signed from now on are valid, in days: 1 to 3650.',
    }),
  }),
  change: (scope, id, input) => updateClusterCertificates(scope, id, input),
  warn: certificateWarnings,
  done: 'The certificate settings were changed.',
})

clusterMutation('updateClusterEnrollment', {
  together: true,
  description: 'Sets which groups a machine may ask for when it enrolls itself.',
  input: 'The groups that enrolling machines may ask for.',
  fields: (t) => ({
    enrollGroups: t.stringList({
      required: true,
      description:
        'The groups that a machine may ask for when it enrolls itself; replaces the present ones. At most 64.',
    }),
  }),
  dryRun: false,
  change: (scope, id, input) => updateClusterEnrollment(scope, id, input),
  warn: (_facts, cluster) => enrollmentWarnings(cluster),
  done: 'The groups were set.',
})
