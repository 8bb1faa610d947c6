import { NotFoundError, ValidationError } from '../../base/errors.ts'
import { updateClusterNotes } from '../../domain/clusters/cluster-notes.ts'
import { descriptionField, forPeople, notesInput } from '../changes/notes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { outcome } from '../kit/errors.ts'
import { Cluster } from './clusters.ts'

builder.prismaObjectFields(Cluster, (t) => ({
  description: t.exposeString('description', {
    nullable: true,
    description: `What its admins noted about it; null when there is none. ${forPeople}`,
  }),
}))

/** The notes of a cluster in the input of a mutation. */
export const clusterNotesFields = (t: Parameters<typeof descriptionField>[0]) => ({ description: descriptionField(t) })

builder.relayMutationField(
  'updateCluster',
  {
    description: notesInput,
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      ...clusterNotesFields(t),
    }),
  },
  {
    description:
      'Changes the notes about a cluster. They are part of no configuration, so `configVersion` stays the same. For operators and tenant admins.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateCluster', ValidationError, NotFoundError),
    resolve: (_root, { input: { clusterId, ...notes } }, context) =>
      updateClusterNotes(scopeOf(context), clusterId, notes),
  },
  {
    description: 'The notes were changed.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: (cluster) => cluster }),
    }),
  },
)
