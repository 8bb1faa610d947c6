import { ConflictError, NotFoundError, ValidationError } from '../../base/errors.ts'
import {
  deleteReplica,
  pruneStaleReplicas,
  updateReplicaHeartbeat,
  updateReplicaRole,
  upsertReplica,
} from '../../domain/replicas/replicas.ts'
import { operatorOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { outcome } from '../kit/errors.ts'
import { Replica, ReplicaRole } from './replicas.ts'

builder.relayMutationField(
  'registerReplica',
  {
    description: 'The instance to register.',
    inputFields: (t) => ({
      address: t.field({
        type: 'URL',
        required: true,
        description: 'The full http or https URL at which it is reached, without credentials, query or fragment.',
      }),
    }),
  },
  {
    description:
      'Registers an instance of the control plane. A replica with the same address is replaced: it gets a new id and keeps its role. Servers register themselves when they start. For operators.',
    authScopes: { operator: true },
    errors: outcome('registerReplica', ValidationError),
    resolve: (_root, { input }, context) => upsertReplica(operatorOf(context), { address: String(input.address) }),
  },
  {
    description: 'The instance is registered.',
    outputFields: (t) => ({
      replica: t.field({ type: Replica, description: 'The instance with its id.', resolve: (replica) => replica }),
    }),
  },
)

builder.relayMutationField(
  'heartbeatReplica',
  {
    description: 'The instance that is alive.',
    inputFields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'The replica’s id.' }) }),
  },
  {
    description:
      'Reports that an instance is alive. A master that has not reported for 30 seconds becomes a replica. Servers send these reports themselves. For operators.',
    authScopes: { operator: true },
    errors: outcome('heartbeatReplica', NotFoundError),
    resolve: (_root, { input }, context) => updateReplicaHeartbeat(operatorOf(context), input.id),
  },
  {
    description: 'The report was stored.',
    outputFields: (t) => ({
      replica: t.field({ type: Replica, description: 'The instance.', resolve: (replica) => replica }),
    }),
  },
)

builder.relayMutationField(
  'updateReplicaRole',
  {
    description: 'The instance and the role it is to have.',
    inputFields: (t) => ({
      id: t.field({ type: 'UUID', required: true, description: 'The replica’s id.' }),
      role: t.field({ type: ReplicaRole, required: true, description: 'The new role.' }),
    }),
  },
  {
    description:
      'Gives an instance a role. `MASTER` is refused while another instance is the master and reports: make that one a `REPLICA` first. For safety the new master begins its work up to 40 seconds later. If no master is named, the instances choose one among themselves after 30 seconds. For operators.',
    authScopes: { operator: true },
    errors: outcome('updateReplicaRole', NotFoundError, ConflictError),
    resolve: (_root, { input }, context) => updateReplicaRole(operatorOf(context), input.id, input.role),
  },
  {
    description: 'The instance has the role.',
    outputFields: (t) => ({
      replica: t.field({ type: Replica, description: 'The instance in its role.', resolve: (replica) => replica }),
    }),
  },
)

builder.relayMutationField(
  'deleteReplica',
  {
    description: 'The instance to remove.',
    inputFields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'The replica’s id.' }) }),
  },
  {
    description:
      'Removes an instance from the list. An instance that is alive registers again with its next heartbeat: stop it instead. For operators.',
    authScopes: { operator: true },
    errors: outcome('deleteReplica', NotFoundError),
    resolve: (_root, { input }, context) => deleteReplica(operatorOf(context), input.id),
  },
  {
    description: 'The instance was removed.',
    outputFields: (t) => ({
      replica: t.field({ type: Replica, description: 'The instance as it was.', resolve: (replica) => replica }),
    }),
  },
)

builder.relayMutationField(
  'pruneStaleReplicas',
  null,
  {
    description:
      'Removes the instances that have not reported for five minutes. The master does this by itself. For operators.',
    authScopes: { operator: true },
    errors: outcome('pruneStaleReplicas'),
    resolve: async (_root, _args, context) => ({ pruned: await pruneStaleReplicas(operatorOf(context)) }),
  },
  {
    description: 'The stale instances were removed.',
    outputFields: (t) => ({
      pruned: t.int({ description: 'How many instances were removed.', resolve: ({ pruned }) => pruned }),
    }),
  },
)
