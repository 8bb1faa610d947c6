import type { Database } from '../client/client.ts'
import { Prisma } from '../generated/sqlite/client.ts'
import type { Engine, Replica } from '../client/types.ts'

/** How the instances of the control plane keep track of each other; all in milliseconds. */
export interface ReplicaTimes {
  /** Between two heartbeats of an instance. */
  readonly heartbeat: number
  /**
   * How long after the begin of its last confirmed heartbeat a master takes itself for one, on its own clocks: less
   * than the lease, so that the two clocks may run apart by the difference.
   */
  readonly belief: number
  /** How old a master's heartbeat may be, on the database's clock, before another takes the role over. */
  readonly lease: number
  /** How old a heartbeat is when the master removes the row. */
  readonly keep: number
}

export const replicaTimes: ReplicaTimes = { heartbeat: 10_000, belief: 25_000, lease: 30_000, keep: 300_000 }

/**
 * Keeps the seat of a master that was demoted or deleted from outside: the process behind it may take itself for the
 * master until its lease runs out, so this row is the master for that long. It is no instance, no list shows it, and its
 * id is none that a caller can name.
 */
export const vacatedSeat = { id: 'vacated-seat', address: 'urn:orrery:lease-of-a-former-master' } as const

/**
 * The statements that registration, heartbeats and the master's lease are made of. Whatever is conditional is so within
 * one statement, and every time is the database's own: instances whose clocks differ agree on who is late. Nobody else
 * writes `last_seen_at`.
 */
export interface ReplicaLease {
  /**
   * A row for the instance, in the role `replica`. A row of the same address, left behind by an unclean stop, is taken
   * over with its role, unless its lease ran out. `onlyLate`: such a row is left alone while its heartbeat is fresh.
   * @returns the instance's row; null where one was left alone
   */
  register(instance: { id: string; address: string }, options?: { onlyLate: boolean }): Promise<Replica | null>
  /** A sign of life. A lease that ran out is not prolonged: the row is a replica's then. Null when there is no row. */
  heartbeat(id: string): Promise<Replica | null>
  /** Ends leases that ran out, then makes the instance the master if there is none; whether it did. */
  takeOver(id: string): Promise<boolean>
  /** As `takeOver`, on an operator's word: does not wait for a vacated seat. Null when it cannot be. */
  promote(id: string): Promise<Replica | null>
  /** Makes the instance a replica; the seat of a master whose lease runs stays taken. Null when there is no row. */
  demote(id: string): Promise<Replica | null>
  /** Deletes the row; the seat of a master whose lease runs stays taken. Null when there is no row. */
  remove(id: string): Promise<Replica | null>
  /** Deletes the row of the calling instance, which has stopped to take itself for the master. */
  release(id: string): Promise<void>
  /** Deletes rows that are older than `keep`; returns their ids. */
  prune(): Promise<string[]>
  /** The time, on the database's clock, since when a heartbeat is fresh. */
  freshSince(): Promise<Date>
}

/** Where raw statements run: the client, or a transaction of it. */
type Raw = Pick<Database['client'], '$queryRaw' | '$executeRaw'>

export function replicaLease({ client, engine }: Database, times: ReplicaTimes = replicaTimes): ReplicaLease {
  const now = time(engine, 0)
  const fresh = time(engine, -times.lease)
  const row = Prisma.sql`id, address, role, created_at AS "createdAt", last_seen_at AS "lastSeenAt"`
  /** The role a row keeps when its instance reports: that of a master only while its lease runs. */
  const kept = Prisma.sql`
    CASE WHEN replicas.role = 'master' AND replicas.last_seen_at >= ${fresh} THEN 'master' ELSE 'replica' END`
  const first = async (rows: Promise<Replica[]>): Promise<Replica | null> => (await rows)[0] ?? null

  const endLeases = async (raw: Raw) => {
    // A heartbeat later than now is what a clock that was set back left behind; it would hold the role for as long.
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
          // Takes back that the seat was freed.
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
 * The database's clock, `offset` milliseconds from now, in the form that Prisma writes: on SQLite ISO 8601 text with
 * milliseconds and `+00:00`, since texts of two forms do not compare; on PostgreSQL a timestamp in UTC, whatever the
 * connection's time zone.
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

/** Null where another was faster: the index that allows one master refuses the second one. */
async function unlessTaken(claim: () => Promise<Replica | null>): Promise<Replica | null> {
  try {
    return await claim()
  } catch (error) {
    if (error instanceof SeatTaken || isUniqueViolation(error)) return null
    throw error
  }
}

/** Of a raw statement Prisma tells it by the driver's report alone (the code is P2010, whatever failed). */
function isUniqueViolation(error: unknown): boolean {
  if (!(error instanceof Prisma.PrismaClientKnownRequestError)) return false
  const meta = error.meta as { driverAdapterError?: { cause?: { kind?: string } } } | undefined
  return error.code === 'P2002' || meta?.driverAdapterError?.cause?.kind === 'UniqueConstraintViolation'
}
