import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Operator } from '../../auth/scope.ts'
import { vacatedSeat } from '../../db/writes/lease.ts'
import type { Prisma, Replica } from '../../db/client/types.ts'
import { rule } from '../shared/issues.ts'
import { check } from '../shared/rules.ts'

export type ReplicaRole = 'master' | 'replica'

/** The columns that a query reads; all if absent. */
interface Query {
  readonly select?: Prisma.ReplicaSelect
}

export interface ReplicaFilter {
  readonly role?: ReplicaRole | undefined
  /** Whether its heartbeat is fresh. */
  readonly healthy?: boolean | undefined
}

/** Instances are few: their list has no pages and is cut at this length. */
export const mostReplicas = 500

/** GetReplica: one instance by id; null when it does not exist. */
export const getReplica = (operator: Operator, id: string, query: Query = {}) =>
  operator.db.replica.findUnique({ ...query, where: { id } })

/** GetReplicaByAddress: one instance by its full URL; null when it does not exist. */
export const getReplicaByAddress = (operator: Operator, address: string, query: Query = {}) =>
  operator.db.replica.findUnique({ ...query, where: { address: URL.canParse(address) ? canonical(address) : '' } })

/** ListReplicas: the instances, by address; at most 500. With the role of the master, 0 or 1: CountMasters. */
export async function listReplicas(operator: Operator, { role, healthy }: ReplicaFilter = {}, query: Query = {}) {
  const fresh = healthy === undefined ? null : await operator.lease.freshSince()
  return operator.db.replica.findMany({
    ...query,
    where: {
      id: { not: vacatedSeat.id },
      ...(role ? { role } : {}),
      ...(fresh ? { lastSeenAt: healthy ? { gte: fresh } : { lt: fresh } } : {}),
    },
    orderBy: { address: 'asc' },
    take: mostReplicas,
  })
}

/** ListHealthyReplicas: the instances with a heartbeat within the lease of 30 seconds, by address; at most 500. */
export const listHealthyReplicas = (
  operator: Operator,
  filter: Omit<ReplicaFilter, 'healthy'> = {},
  query: Query = {},
) => listReplicas(operator, { ...filter, healthy: true }, query)

/** GetMaster: the instance that is the master and whose lease is valid; null when there is none. */
export const getMaster = async (operator: Operator, query: Query = {}) =>
  (await listHealthyReplicas(operator, { role: 'master' }, query))[0] ?? null

const rules = z.object({
  address: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2048, 'must have at most 2048 characters')
    .refine(
      (address) => !/[@#?]/.test(address),
      rule('NOT_ALLOWED', 'must not contain credentials, a query or a fragment'),
    )
    .transform((address) => canonical(address)),
})

/**
 * UpsertReplica: registers an instance under its address. An existing row of the same address is taken over by the new
 * instance, with its role.
 * @throws ValidationError
 */
export async function upsertReplica(operator: Operator, input: { address: string }): Promise<Replica> {
  const replica = await operator.lease.register({ id: newId(), ...check(rules, input) })
  if (!replica) throw new Error('a registration that takes every row over found none')
  return cameUp(operator, replica)
}

/**
 * UpdateReplicaHeartbeat: records a heartbeat. A master whose lease has expired becomes a replica.
 * @throws NotFoundError
 */
export const updateReplicaHeartbeat = async (operator: Operator, id: string): Promise<Replica> =>
  found(await operator.lease.heartbeat(id))

/**
 * UpdateReplicaRole: makes an instance the master if no other one has a valid lease, or removes its role. An instance
 * that learns from its heartbeat that it is the master waits one lease before it acts as the master.
 * @throws NotFoundError, ConflictError
 */
export async function updateReplicaRole(operator: Operator, id: string, role: ReplicaRole): Promise<Replica> {
  if (role === 'replica') return found(await operator.lease.demote(id))
  const master = await operator.lease.promote(id)
  if (master) return master
  const { lastSeenAt } = found(await getReplica(operator, id))
  throw new ConflictError(
    lastSeenAt < (await operator.lease.freshSince())
      ? 'The replica has not reported for too long to become the master'
      : 'Another replica is the master: take the role from it first',
  )
}

/**
 * DeleteReplica: removes an instance. A running one registers again with its next heartbeat.
 * @throws NotFoundError
 */
export async function deleteReplica(operator: Operator, id: string): Promise<Replica> {
  const deleted = found(await operator.lease.remove(id))
  wentDown(operator, [id])
  return deleted
}

/** PruneStaleReplicas: removes the instances without a heartbeat for five minutes; returns how many. */
export async function pruneStaleReplicas(operator: Operator): Promise<number> {
  const gone = await operator.lease.prune()
  wentDown(operator, gone)
  return gone.length
}

function cameUp<T extends Replica | null>({ changes }: Operator, replica: T): T {
  if (replica) changes.emit({ kind: 'replicaUp', replicaId: replica.id, address: replica.address })
  return replica
}

function wentDown({ changes }: Operator, ids: readonly string[]): void {
  for (const replicaId of ids) changes.emit({ kind: 'replicaDown', replicaId })
}

/** The operations on the table of replicas that the server's own instance needs. */
export const replicaRegistry = (operator: Operator) => ({
  register: async ({ id, address }: { id: string; address: string }, options: { onlyLate: boolean }) =>
    roleOf(cameUp(operator, await operator.lease.register({ id, ...check(rules, { address }, []) }, options))),
  heartbeat: async (id: string) => roleOf(await operator.lease.heartbeat(id)),
  takeOver: (id: string) => operator.lease.takeOver(id),
  release: async (id: string) => {
    await operator.lease.release(id)
    wentDown(operator, [id])
  },
})

// The table's CHECK allows only these two.
const roleOf = (replica: Replica | null) => (replica ? (replica.role as ReplicaRole) : null)

function found(replica: Replica | null): Replica {
  if (!replica) throw new NotFoundError('Replica')
  return replica
}

/** A single spelling for each address: lower-case host, no default port, a path. */
const canonical = (address: string): string => new URL(address).href
