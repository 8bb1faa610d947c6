import { setTimeout as sleep } from 'node:timers/promises'

import { BusyError, UnavailableError } from '../../base/errors.ts'
import type { Faults } from '../../base/faults.ts'
import { faultOf, reportOf } from './faults.ts'
import type { PrismaClient } from '../generated/sqlite/client.ts'

/** How often work is tried that the database rolls back because of conflicts, before the caller receives an error. */
const attempts = 5
/**
 * Milliseconds before the second attempt; doubled with each further one, and randomized, so that two do not collide
 * again.
 */
const firstPause = 10

/**
 * Retries work that the database rolled back because of concurrent work: a serialization failure or a deadlock
 * (PostgreSQL, 40001 and 40P01: "the application should retry", chapter 13.5 of its manual). Other faults of the
 * database are recorded and become a BusyError or an UnavailableError.
 * @param work a transaction, or one statement outside of any. Its other effects happen as often as it is tried
 * @throws BusyError when every attempt had a conflict, or SQLite's write lock was not released in time (patience.ts)
 * @throws UnavailableError when the database does not answer, is full, damaged, …
 */
export async function retried<T>(work: () => Promise<T>, faults: Faults): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work()
    } catch (error) {
      const trouble = troubleOf(error)
      if (trouble === null) throw unavailable(error, faults) ?? error
      if (trouble === 'locked' || attempt === attempts) throw new BusyError({ cause: error })
    }
    await sleep(firstPause * 2 ** (attempt - 1) * (0.5 + Math.random()))
  }
}

/** The error for a fault of the database itself; null for other errors. */
function unavailable(cause: unknown, faults: Faults): BusyError | UnavailableError | null {
  const found = faultOf(cause)
  if (!found) return null
  faults.note(found.fault, found.reason)
  return found.fault === 'locked' ? new BusyError({ cause }) : new UnavailableError(found.fault, { cause })
}

/**
 * A client that retries transactions, and statements outside of them. Inside of a transaction, it retries nothing:
 * PostgreSQL accepts no statement there after a failure.
 */
export function retrying<Client extends object>(client: Client, faults: Faults): Client {
  const kept = new Map<string | symbol, unknown>()
  return new Proxy(client, {
    get(target, key) {
      const known = kept.get(key)
      if (known !== undefined) return known
      const made = retryingPart(target, key, faults)
      kept.set(key, made)
      return made
    },
  })
}

/** The client's own functions that run a statement; others (`$extends`, `$connect`, …) do not. */
const statements = new Set<string | symbol>([
  '$queryRaw',
  '$queryRawUnsafe',
  '$executeRaw',
  '$executeRawUnsafe',
] satisfies (keyof PrismaClient)[])

function retryingPart(target: object, key: string | symbol, faults: Faults): unknown {
  const part: unknown = Reflect.get(target, key)
  if (typeof part === 'function') {
    const call = (...given: unknown[]): unknown => Reflect.apply(part, target, given)
    if (key === '$transaction') return (...given: unknown[]) => retried(async () => call(...given), faults)
    return statements.has(key) ? (...given: unknown[]) => retryingStatement(() => call(...given), faults) : call
  }
  // A model, which has statements as functions.
  return typeof part === 'object' && part !== null && typeof key === 'string' && /^[a-z]/.test(key)
    ? retryingModel(part, faults)
    : part
}

const retryingModel = (model: object, faults: Faults): object =>
  new Proxy(model, {
    get(target, key) {
      const part: unknown = Reflect.get(target, key)
      if (typeof part !== 'function') return part
      return (...given: unknown[]) => retryingStatement(() => Reflect.apply(part, target, given) as unknown, faults)
    },
  })

/**
 * Prisma returns a promise that runs the statement only when it is awaited, and that gives access to the row's
 * relations.
 */
function retryingStatement(make: () => unknown, faults: Faults): unknown {
  const statement = make()
  if (typeof statement !== 'object' || statement === null) return statement
  let running: Promise<unknown> | null = null
  let attempt = 0
  // The first attempt uses the existing promise; a promise that has run would repeat its result.
  const run = async () => ((attempt += 1) === 1 ? statement : make())
  return new Proxy(statement, {
    get(target, key) {
      if (key !== 'then' && key !== 'catch' && key !== 'finally') return Reflect.get(target, key) as unknown
      running ??= retried(run, faults)
      return running[key].bind(running)
    },
  })
}

/** Whether an error means a conflict with concurrent work, or a lock that was not free in time. */
function troubleOf(error: unknown): 'conflict' | 'locked' | null {
  if (!(error instanceof Error)) return null
  const { codes, kind } = reportOf(error)
  if (kind === 'TransactionWriteConflict') return 'conflict'
  if (codes.some((one) => ['P2034', '40001', '40P01'].includes(one))) return 'conflict'
  // It did not get its turn (client.ts, `maxWait`), so it changed nothing. P2028 covers all errors of a transaction.
  return codes.includes('P2028') && error.message.includes('Unable to start a transaction') ? 'locked' : null
}
