import {
  getMaster,
  getReplica,
  getReplicaByAddress,
  listHealthyReplicas,
  listReplicas,
  mostReplicas,
  type ReplicaRole as Role,
} from '../../domain/replicas/replicas.ts'
import { operatorOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import type { Context } from '../kit/context.ts'

export const ReplicaRole = builder.enumType('ReplicaRole', {
  description: 'The role of an instance of the control plane.',
  values: {
    MASTER: {
      value: 'master',
      description: 'The one instance that does the work that must be done only once, such as cleaning up.',
    },
    REPLICA: { value: 'replica', description: 'An instance that is ready to become the master.' },
  } satisfies Record<string, { value: Role; description: string }>,
})

export const Replica = builder.prismaObject('Replica', {
  description: 'A running instance of the control plane. It reports every 10 seconds. Only operators see it.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', {
      type: 'UUID',
      description: 'Generated when the instance starts: after a restart it has a new id.',
    }),
    address: t.expose('address', { type: 'URL', description: 'The full URL at which it is reached; unique.' }),
    role: t.field({
      type: ReplicaRole,
      description: 'At most one replica is the master.',
      select: { role: true },
      // The table's CHECK allows no other value.
      resolve: ({ role }) => role as Role,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When its address was first registered.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTimeISO',
      description: 'When it last reported, by the database’s clock.',
    }),
    isHealthy: t.boolean({
      description:
        'Whether it reported within the last 30 seconds. A master that did not may be replaced at any moment.',
      select: { lastSeenAt: true },
      resolve: async ({ lastSeenAt }, _args, context) => lastSeenAt >= (await freshSince(context)),
    }),
  }),
})

/** Read once per request, for any number of rows. */
function freshSince(context: Context): Promise<Date> {
  const { lease } = operatorOf(context)
  const read = async (keys: readonly string[]) => {
    const since = await lease.freshSince()
    return new Map(keys.map((key) => [key, since]))
  }
  return context.loaders.load({ place: 'replicas', purpose: 'fresh since' }, 'now', read, () => new Date(0))
}

const ReplicaBy = builder.inputType('ReplicaBy', {
  description: 'Identifies a replica by one of these fields.',
  isOneOf: true,
  fields: (t) => ({
    id: t.field({ type: 'UUID', description: 'Its id.' }),
    address: t.field({ type: 'URL', description: 'The full URL with which it registered.' }),
  }),
})

const ReplicaFilter = builder.inputType('ReplicaFilter', {
  description: 'Which replicas to list; an omitted field does not narrow the list.',
  fields: (t) => ({
    healthy: t.boolean({
      description: 'True for replicas that reported within the last 30 seconds, false for those that did not.',
    }),
    role: t.field({ type: ReplicaRole, description: 'Only replicas with this role.' }),
  }),
})

builder.queryFields((t) => ({
  replica: t.prismaField({
    type: Replica,
    nullable: true,
    description: 'One instance of the control plane; null when it does not exist. For operators.',
    authScopes: { operator: true },
    args: { by: t.arg({ type: ReplicaBy, required: true, description: 'Its id or its address.' }) },
    resolve: (query, _root, { by }, context) =>
      by.id
        ? getReplica(operatorOf(context), by.id, query)
        : getReplicaByAddress(operatorOf(context), String(by.address), query),
  }),
  replicas: t.prismaField({
    type: [Replica],
    description: `The instances of the control plane, ordered by address; at most ${mostReplicas}. For operators.`,
    authScopes: { operator: true },
    args: { filter: t.arg({ type: ReplicaFilter, description: 'Which instances to list; all when null.' }) },
    resolve: (query, _root, { filter }, context) => {
      const role = filter?.role ?? undefined
      return filter?.healthy === true
        ? listHealthyReplicas(operatorOf(context), { role }, query)
        : listReplicas(operatorOf(context), { role, healthy: filter?.healthy ?? undefined }, query)
    },
  }),
  master: t.prismaField({
    type: Replica,
    nullable: true,
    description:
      'The instance that is the master; null while no master has reported within the last 30 seconds. For operators.',
    authScopes: { operator: true },
    resolve: (query, _root, _args, context) => getMaster(operatorOf(context), query),
  }),
}))
