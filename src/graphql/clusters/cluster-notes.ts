import { ConflictError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { renameCluster } from '../../domain/clusters/cluster-name.ts'
import { updateClusterNotes } from '../../domain/clusters/cluster-notes.ts'
import { clusterIdField } from '../changes/change-fields.ts'
import { mutation, type InputFields } from '../changes/mutation.ts'
import { descriptionField, forPeople, notesInput } from '../changes/notes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Cluster } from './clusters.ts'

builder.prismaObjectFields(Cluster, (t) => ({
  description: t.exposeString('description', {
    nullable: true,
    description: `What its admins noted about it; null when there is none. ${forPeople}`,
  }),
}))

/** The notes of a cluster in the input of a mutation. */
export const clusterNotesFields = (t: InputFields) => ({ description: descriptionField(t) })

mutation('updateCluster', {
  description:
    'Changes the notes about a cluster. They are part of no configuration, so `configVersion` stays the same.',
  callers: 'tenantWriter',
  input: notesInput,
  fields: (t) => ({ clusterId: clusterIdField(t), ...clusterNotesFields(t) }),
  errors: [ValidationError, NotFoundError],
  resolve: (_input, context, { clusterId, ...notes }) => updateClusterNotes(scopeOf(context), clusterId, notes),
  done: 'The notes were changed.',
  payload: (t) => ({
    cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: (cluster) => cluster }),
  }),
})

mutation('renameCluster', {
  description:
    'Gives a cluster another name. No configuration has it, so `configVersion` stays the same. The present CA keeps the name that it was made with.',
  callers: 'tenantWriter',
  input: 'The cluster’s new name.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
    name: t.string({ required: true, description: 'Unique in the tenant; 1 to 255 characters.' }),
  }),
  errors: [ValidationError, NotFoundError, ConflictError],
  resolve: ({ clusterId, name }, context) => renameCluster(scopeOf(context), clusterId, { name }),
  done: 'The cluster was renamed.',
  payload: (t) => ({
    cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: (cluster) => cluster }),
  }),
})
