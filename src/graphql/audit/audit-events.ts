import { listAuditEvents, type Outcome } from '../../domain/audit/events.ts'
import { builder } from '../kit/builder.ts'
import { resolveConnection } from '../kit/connection.ts'

const AuditOutcome = builder.enumType('AuditOutcome', {
  description: 'How an action ended.',
  values: {
    DONE: { value: 'done', description: 'It was done.' },
    REFUSED: { value: 'refused', description: 'It was refused, and changed nothing.' },
  } satisfies Record<string, { value: Outcome; description: string }>,
})

const AuditEvent = builder.prismaObject('AuditEvent', {
  description:
    'Who did what, or tried to. Events are written in the transaction of the change itself and never changed; each has the hash of the one before it. Values that are secret are not in them.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Generated; ids are in the order of time.' }),
    chain: t.exposeString('chain', {
      description: 'The chain that it is part of: a tenant’s id, or `control-plane` for what belongs to no tenant.',
    }),
    sequence: t.expose('sequence', { type: 'PositiveInt', description: 'Its number in the chain, without gaps.' }),
    at: t.expose('at', { type: 'DateTimeISO', description: 'When it happened, by the clock of the server.' }),
    action: t.exposeString('action', { description: 'What was done, such as `cluster.firewall.update`.' }),
    outcome: t.field({
      type: AuditOutcome,
      description: 'Whether it was done or refused.',
      select: { outcome: true },
      // The column is written from this type only.
      resolve: ({ outcome }) => outcome as Outcome,
    }),
    refusal: t.exposeString('refusal', {
      nullable: true,
      description: 'Why it was refused, as the name of the error or its code; null for what was done.',
    }),
    actorKind: t.exposeString('actorKind', {
      description:
        'The kind of actor: `operator`, `tenantAdmin`, `node`, `blockedNode`, `enrollingMachine` or `system`.',
    }),
    actor: t.exposeString('actor', {
      description: 'The actor’s name: a person’s, a node’s, or `Orrery` for what the control plane did by itself.',
    }),
    credentialId: t.expose('credentialId', {
      type: 'UUID',
      nullable: true,
      description:
        'Whose credential it was: a session’s id, a node’s, or for a cluster token the cluster’s; null for a JWT and for the control plane itself.',
    }),
    tenantId: t.expose('tenantId', {
      type: 'UUID',
      nullable: true,
      description: 'The tenant that it concerns, which may be deleted by now; null for none.',
    }),
    clusterId: t.expose('clusterId', {
      type: 'UUID',
      nullable: true,
      description: 'The cluster that it concerns, or that the caller named; null for none.',
    }),
    targets: t.exposeString('targets', {
      description: 'What it is about, as JSON: a list of objects with `type`, `id` and mostly `name`.',
    }),
    version: t.expose('version', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The cluster’s `configVersion` after the change; null when none was changed.',
    }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The `x-request-id` of the answer, as in the log; null when it was no request.',
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: 'The address of the client; null when it was no request.',
    }),
    before: t.exposeString('before', {
      nullable: true,
      description: 'The changed values as they were, as JSON, by object; at most 8 KiB. Null when none are known.',
    }),
    after: t.exposeString('after', {
      nullable: true,
      description: 'The changed values as they are since then, as `before`; null when nothing was set.',
    }),
    previousHash: t.exposeString('previousHash', {
      nullable: true,
      description: 'The hash of the event before it in the chain; null for the first one.',
    }),
    hash: t.exposeString('hash', { description: 'SHA-256 over all other values, in hexadecimal digits.' }),
  }),
})

const AuditEventOrder = builder.enumType('AuditEventOrder', {
  description: 'The order of audit events.',
  values: {
    NEWEST_FIRST: { value: 'desc', description: 'The newest first.' },
    OLDEST_FIRST: { value: 'asc', description: 'The oldest first.' },
  } as const,
})

const AuditEventFilter = builder.inputType('AuditEventFilter', {
  description: 'Which audit events to list; an omitted field does not narrow the list.',
  fields: (t) => ({
    tenantId: t.field({ type: 'UUID', description: 'Only events of this tenant.' }),
    clusterId: t.field({ type: 'UUID', description: 'Only events of this cluster.' }),
    actor: t.string({ description: 'Only events of actors with exactly this name.' }),
    action: t.string({ description: 'Only events with exactly this action, such as `node.create`.' }),
    outcome: t.field({ type: AuditOutcome, description: 'Only what was done, or only what was refused.' }),
    since: t.field({ type: 'DateTimeISO', description: 'Only events from this moment on.' }),
    until: t.field({ type: 'DateTimeISO', description: 'Only events before this moment.' }),
  }),
})

builder.queryFields((t) => ({
  auditEvents: t.connection(
    {
      type: AuditEvent,
      description:
        'The audit trail: who did what. Tenant admins see what concerns their tenant, operators everything. For operators and tenant admins.',
      authScopes: { auditReader: true },
      args: {
        filter: t.arg({ type: AuditEventFilter, description: 'Which events to list; all when null.' }),
        orderBy: t.arg({ type: AuditEventOrder, description: 'The order; the newest first when null.' }),
      },
      resolve: (_root, { filter, orderBy, ...args }, context, info) =>
        resolveConnection<typeof AuditEvent.$inferType>(listAuditEvents(filter ?? {}, orderBy ?? 'desc'), {
          args,
          context,
          info,
        }),
    },
    { name: 'AuditEventConnection', description: 'A page of audit events.' },
    { name: 'AuditEventEdge', description: 'An audit event on a page.' },
  ),
}))
