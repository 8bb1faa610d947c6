import type { Database } from '../client/client.ts'
import { Prisma } from '../generated/sqlite/client.ts'
import type { Engine, Replica } from '../client/types.ts'

/** The timing between the instances of the control plane; all in milliseconds. */
export interface ReplicaTimes {
  /** Between two heartbeats of an instance. */
  readonly heartbeat: number
  /**
   * How long a master acts as the master after the start of its last confirmed heartbeat, on its own clocks: shorter
   * than the lease, so that the two clocks may differ by the rest.
   */
  readonly validity: number
  /** The age of a master's heartbeat, on the database's clock, after which another instance may take the role. */
  readonly lease: number
  /** The age of a heartbeat after which the master removes the row. */
  readonly keep: number
}

export const replicaTimes: ReplicaTimes = { heartbeat: 10_000, validity: 25_000, lease: 30_000, keep: 300_000 }

/**
 * Keeps the role of a master that was demoted or deleted from outside occupied: its process may still act as the master
 * until its lease expires, so this row is the master until then. It is not an instance and appears in no list, and
 * callers cannot use its id.
 */
export const vacatedSeat = { id: 'vacated-seat', address: 'urn:orrery:lease-of-a-former-master' } as const

/**
 * The statements for registration, heartbeats and the master's lease. Every condition is checked within one statement,
 * and every time comes from the database's clock: instances with different clocks agree on who is late. No other code
 * writes `last_seen_at`.
 */
export interface ReplicaLease {
  /**
   * Adds a row for the instance, in the role `replica`. A row of the same address, left by an unclean stop, is taken
   * over with its role, unless its lease has expired. `onlyLate`: such a row is kept while its heartbeat is fresh.
   * @returns the instance's row; null if an existing row was kept
   */
  register(instance: { id: string; address: string }, options?: { onlyLate: boolean }): Promise<Replica | null>
  /** Records a heartbeat. An expired lease is not extended: the row becomes a replica's. Null when there is no row. */
  heartbeat(id: string): Promise<Replica | null>
  /** Ends expired leases, then makes the instance the master if there is none; returns whether it did. */
  takeOver(id: string): Promise<boolean>
  /** Like `takeOver`, for an operator: does not wait for a vacated seat. Null when it is not possible. */
  promote(id: string): Promise<Replica | null>
  /** Makes the instance a replica; the seat of a master with a valid lease stays taken. Null when there is no row. */
  demote(id: string): Promise<Replica | null>
  /** Deletes the row; the seat of a master with a valid lease stays taken. Null when there is no row. */
  remove(id: string): Promise<Replica | null>
  /** Deletes the row of the calling instance, which no longer acts as the master. */
  release(id: string): Promise<void>
  /** Deletes rows that are older than `keep`; returns their ids. */
  prune(): Promise<string[]>
  /** The earliest fresh heartbeat time, on the database's clock. */
  freshSince(): Promise<Date>
}

/** Where raw statements run: the client, or a transaction of it. */
type Raw = Pick<Database['client'], '$queryRaw' | '$executeRaw'>

export function replicaLease({ client, engine }: Database, times: ReplicaTimes = replicaTimes): ReplicaLease {
  const now = time(engine, 0)
  const fresh = time(engine, -times.lease)
  const row = Prisma.sql`id, address, role, created_at AS "createdAt", last_seen_at AS "lastSeenAt"`
  /** The role that a row keeps at a heartbeat: the master's only while its lease is valid. */
  const kept = Prisma.sql`
    CASE WHEN replicas.role = 'master' AND replicas.last_seen_at >= ${fresh} THEN 'master' ELSE 'replica' END`
  const first = async (rows: Promise<Replica[]>): Promise<Replica | null> => (await rows)[0] ?? null

  const endLeases = async (raw: Raw) => {
    // A heartbeat more than a lease ahead was written before the clock was set back; it would hold the role until then.
    await raw.$executeRaw`UPDATE replicas SET last_seen_at = ${now} WHERE last_seen_at > ${time(engine, times.lease)}`
    await raw.$executeRaw`UPDATE replicas SET role = 'replica' WHERE role = 'master' AND last_seen_at < ${fresh}`
  }
  const claim = (raw: Raw, id: string) =>
    first(raw.$queryRaw<Replica[]>`
      UPDATE replicas SET role = 'master'
      WHERE id = ${id} AND last_seen_at >= ${fresh}
        AND NOT EXISTS (SELECT 1 FROM replicas other WHERE other.role = 'master' AND other.id <> ${id})
      RETURNING ${row}`)
  const vacate = async (raw: Raw, id: string) => {
    const [left] = await raw.$queryRaw<Replica[]>`
      UPDATE replicas SET role = 'replica' WHERE id = ${id} AND role = 'master' RETURNING ${row}`
    if (!left) return
    await raw.$executeRaw`
      INSERT INTO replicas (id, address, role, created_at, last_seen_at)
      SELECT ${vacatedSeat.id}, ${vacatedSeat.address}, 'master', ${now}, last_seen_at
      FROM replicas WHERE id = ${id} AND last_seen_at >= ${fresh}
      ON CONFLICT (id) DO UPDATE SET role = 'master', last_seen_at = excluded.last_seen_at`
  }

  return {
    register: ({ id, address }, { onlyLate } = { onlyLate: false }) =>
      first(client.$queryRaw<Replica[]>`
        INSERT INTO replicas (id, address, role, created_at, last_seen_at)
        VALUES (${id}, ${address}, 'replica', ${now}, ${now})
        ON CONFLICT (address) DO UPDATE SET id = excluded.id, role = ${kept}, last_seen_at = excluded.last_seen_at
        WHERE ${onlyLate ? Prisma.sql`replicas.last_seen_at < ${fresh}` : Prisma.sql`1 = 1`}
        RETURNING ${row}`),
    heartbeat: (id) =>
      first(client.$queryRaw<Replica[]>`
        UPDATE replicas SET role = ${kept}, last_seen_at = ${now} WHERE id = ${id} RETURNING ${row}`),
    async takeOver(id) {
      await endLeases(client)
      return (await unlessTaken(() => claim(client, id))) !== null
    },
    promote: (id) =>
      unlessTaken(() =>
        client.$transaction(async (raw) => {
          await endLeases(raw)
          await raw.$executeRaw`UPDATE replicas SET role = 'replica' WHERE id = ${vacatedSeat.id}`
          const master = await claim(raw, id)
          // Rolls back the release of the seat.
          if (!master) throw new SeatTaken()
          return master
        }),
      ),
    demote: (id) =>
      client.$transaction(async (raw) => {
        await vacate(raw, id)
        return first(raw.$queryRaw<Replica[]>`SELECT ${row} FROM replicas WHERE id = ${id}`)
      }),
    remove: (id) =>
      client.$transaction(async (raw) => {
        await vacate(raw, id)
        return first(raw.$queryRaw<Replica[]>`DELETE FROM replicas WHERE id = ${id} RETURNING ${row}`)
      }),
    async release(id) {
      await client.$executeRaw`DELETE FROM replicas WHERE id = ${id}`
    },
    async prune() {
      const gone = await client.$queryRaw<{ id: string }[]>`
        DELETE FROM replicas WHERE last_seen_at < ${time(engine, -times.keep)} RETURNING id`
      return gone.map(({ id }) => id).filter((id) => id !== vacatedSeat.id)
    },
    async freshSince() {
      const [at] = await client.$queryRaw<{ time: Date | string }[]>`SELECT ${fresh} AS time`
      if (!at) throw new Error('the database did not tell the time')
      return new Date(at.time)
    },
  }
}

/**
 * The database's clock, `offset` milliseconds from now, in Prisma's form: on SQLite ISO 8601 text with milliseconds and
 * `+00:00`, since texts of two forms do not compare; on PostgreSQL a timestamp in UTC, in any time zone of the
 * connection.
 */
function time(engine: Engine, offset: number): Prisma.Sql {
  return Prisma.raw(
    engine === 'sqlite'
      ? `(strftime('%Y-%m-%dT%H:%M:%f', 'now', '${(offset / 1000).toFixed(3)} seconds') || '+00:00')`
      : `(clock_timestamp() AT TIME ZONE 'UTC' + interval '${offset} milliseconds')`,
  )
}

class SeatTaken extends Error {
  override readonly name = 'SeatTaken'
}

/** Null if another instance was faster: the index that allows one master refuses the second one. */
async function unlessTaken(claim: () => Promise<Replica | null>): Promise<Replica | null> {
  try {
    return await claim()
  } catch (error) {
    if (error instanceof SeatTaken || isUniqueViolation(error)) return null
    throw error
  }
}

/** For a raw statement, only the driver's report inside Prisma's error shows it (the code is always P2010). */
function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false
  const meta = error.meta as { driverAdapterError?: { cause?: { kind?: string } } } | undefined
  return error.code === 'P2002' || meta?.driverAdapterError?.cause?.kind === 'UniqueConstraintViolation'
}
