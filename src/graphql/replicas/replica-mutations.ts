import { ConflictError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Replica as ReplicaRow } from '../../db/generated/sqlite/client.ts'
import {
  deleteReplica,
  pruneStaleReplicas,
  updateReplicaHeartbeat,
  updateReplicaRole,
  upsertReplica,
} from '../../domain/replicas/replicas.ts'
import { mutation, type InputFields, type PayloadFields } from '../changes/mutation.ts'
import { operatorOf } from '../kit/access.ts'
import { Replica, ReplicaRole } from './replicas.ts'

const idField = (t: InputFields) => t.field({ type: 'UUID', required: true, description: 'The replica’s id.' })

const replicaField = (t: PayloadFields<ReplicaRow>, description: string) =>
  t.field({ type: Replica, description, resolve: (replica) => replica })

mutation('registerReplica', {
  description:
    'Registers an instance of the control plane. A replica with the same address is replaced: it gets a new id and keeps its role. Servers register themselves when they start.',
  callers: 'operator',
  input: 'The instance to register.',
  fields: (t) => ({
    address: t.field({
      type: 'URL',
      required: true,
      description: 'The full http or https URL at which it is reached, without credentials, query or fragment.',
    }),
  }),
  errors: [ValidationError],
  resolve: ({ address }, context) => upsertReplica(operatorOf(context), { address: String(address) }),
  done: 'The instance is registered.',
  payload: (t) => ({ replica: replicaField(t, 'The instance with its id.') }),
})

mutation('heartbeatReplica', {
  description:
    'Reports that an instance is alive. A master that has not reported for 30 seconds becomes a replica. Servers send these reports themselves.',
  callers: 'operator',
  input: 'The instance that is alive.',
  fields: (t) => ({ id: idField(t) }),
  errors: [NotFoundError],
  resolve: ({ id }, context) => updateReplicaHeartbeat(operatorOf(context), id),
  done: 'The report was stored.',
  payload: (t) => ({ replica: replicaField(t, 'The instance.') }),
})

mutation('updateReplicaRole', {
  description:
    'Gives an instance a role. `MASTER` is refused while another instance is the master and reports: make that one a `REPLICA` first. For safety the new master begins its work up to 40 seconds later. If no master is named, the instances choose one among themselves after 30 seconds.',
  callers: 'operator',
  input: 'The instance and the role it is to have.',
  fields: (t) => ({
    id: idField(t),
    role: t.field({ type: ReplicaRole, required: true, description: 'The new role.' }),
  }),
  errors: [NotFoundError, ConflictError],
  resolve: ({ id, role }, context) => updateReplicaRole(operatorOf(context), id, role),
  done: 'The instance has the role.',
  payload: (t) => ({ replica: replicaField(t, 'The instance in its role.') }),
})

mutation('deleteReplica', {
  description:
    'Removes an instance from the list. An instance that is alive registers again with its next heartbeat: stop it instead.',
  callers: 'operator',
  input: 'The instance to remove.',
  fields: (t) => ({ id: idField(t) }),
  errors: [NotFoundError],
  resolve: ({ id }, context) => deleteReplica(operatorOf(context), id),
  done: 'The instance was removed.',
  payload: (t) => ({ replica: replicaField(t, 'The instance as it was.') }),
})

mutation('pruneStaleReplicas', {
  description: 'Removes the instances that have not reported for five minutes. The master does this by itself.',
  callers: 'operator',
  errors: [],
  resolve: async (_input, context) => ({ pruned: await pruneStaleReplicas(operatorOf(context)) }),
  done: 'The stale instances were removed.',
  payload: (t) => ({
    pruned: t.int({ description: 'How many instances were removed.', resolve: ({ pruned }) => pruned }),
  }),
})
