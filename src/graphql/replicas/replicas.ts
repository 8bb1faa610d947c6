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
  description: 'What an instance of the control plane is among the others.',
  values: {
    MASTER: { value: 'master', description: 'The one that does what must be done once, such as cleaning up.' },
    REPLICA: { value: 'replica', description: 'One that stands ready to become the master.' },
  } satisfies Record<string, { value: Role; description: string }>,
})

export const Replica = builder.prismaObject('Replica', {
  description: 'A running instance of the control plane. It reports every 10 seconds. Only operators see it.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Made up when the instance starts: a restart is a new instance.' }),
    address: t.expose('address', { type: 'URL', description: 'The full URL under which it is reached; unique.' }),
    role: t.field({
      type: ReplicaRole,
      description: 'At most one replica is the master.',
      select: { role: true },
      // The table's CHECK allows the two.
      resolve: ({ role }) => role as Role,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When its address became known.' }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTimeISO',
      description: 'When it reported last, on the database’s clock.',
    }),
    isHealthy: t.boolean({
      description: 'Whether it reported within the last 30 seconds. A master that did not may be replaced any moment.',
      select: { lastSeenAt: true },
      resolve: async ({ lastSeenAt }, _args, context) => lastSeenAt >= (await freshSince(context)),
    }),
  }),
})

/** Asked for once a request, however many rows there are. */
function freshSince(context: Context): Promise<Date> {
  const { lease } = operatorOf(context)
  const read = async (keys: readonly string[]) => {
    const since = await lease.freshSince()
    return new Map(keys.map((key) => [key, since]))
  }
  return context.loaders.load({ place: 'replicas', purpose: 'fresh since' }, 'now', read, new Date(0))
}

const ReplicaBy = builder.inputType('ReplicaBy', {
  description: 'What names a replica: one of these.',
  isOneOf: true,
  fields: (t) => ({
    id: t.field({ type: 'UUID', description: 'Its id.' }),
    address: t.field({ type: 'URL', description: 'The full URL it registered with.' }),
  }),
})

const ReplicaFilter = builder.inputType('ReplicaFilter', {
  description: 'Which replicas to list; what is left out does not narrow the list.',
  fields: (t) => ({
    healthy: t.boolean({ description: 'Those that reported within the last 30 seconds, or those that did not.' }),
    role: t.field({ type: ReplicaRole, description: 'Those of the role.' }),
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
    description: `The instances of the control plane, by address; at most ${mostReplicas}. For operators.`,
    authScopes: { operator: true },
    args: { filter: t.arg({ type: ReplicaFilter, description: 'Which of them; all when null.' }) },
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
    description: 'The instance that is the master; null while there is none that reported lately. For operators.',
    authScopes: { operator: true },
    resolve: (query, _root, _args, context) => getMaster(operatorOf(context), query),
  }),
}))
