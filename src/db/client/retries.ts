import { setTimeout as sleep } from 'node:timers/promises'

import { BusyError, UnavailableError } from '../../base/errors.ts'
import type { Faults } from '../../base/faults.ts'
import { faultOf, reportOf } from './faults.ts'
import type { PrismaClient } from '../generated/sqlite/client.ts'

/** Times that work is done which the database takes back, for no fault of its own, before the caller is told. */
const attempts = 5
/** Milliseconds before the second attempt; doubled with each further one, and spread, so that two do not meet again. */
const firstPause = 10

/**
 * Does work again that the database took back because of others who did theirs at the same time: a serialization failure
 * or a deadlock (PostgreSQL, 40001 and 40P01: "the application should retry", chapter 13.5 of its manual). What else the
 * database fails with, through no fault of the work, is noted and gets its name.
 * @param work a transaction, or one statement outside of any. What it does besides is done as often as it is tried
 * @throws BusyError when each attempt met others, or SQLite's write lock did not come free in time (patience.ts)
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

/** What is told of an error that is about the database itself; null for others. */
function unavailable(cause: unknown, faults: Faults): BusyError | UnavailableError | null {
  const found = faultOf(cause)
  if (!found) return null
  faults.note(found.fault, found.reason)
  return found.fault === 'locked' ? new BusyError({ cause }) : new UnavailableError(found.fault, { cause })
}

/**
 * A client whose transactions, and whose statements outside of them, are retried. Inside of a transaction nothing is:
 * PostgreSQL lets nothing be done there after a failure.
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

/** The client's own functions that run a statement; its others (`$extends`, `$connect`, …) are no work. */
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
  // A model, whose functions are statements.
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
 * What Prisma gives for a statement: a promise that runs it when somebody waits for it, and not before, and that leads
 * on to the row's relations.
 */
function retryingStatement(make: () => unknown, faults: Faults): unknown {
  const statement = make()
  if (typeof statement !== 'object' || statement === null) return statement
  let running: Promise<unknown> | null = null
  let attempt = 0
  // One that has run gives what it gave before.
  const run = async () => ((attempt += 1) === 1 ? statement : make())
  return new Proxy(statement, {
    get(target, key) {
      if (key !== 'then' && key !== 'catch' && key !== 'finally') return Reflect.get(target, key) as unknown
      running ??= retried(run, faults)
      return running[key].bind(running)
    },
  })
}

/** What an error says of others: that they did the same at the same time, or that its turn did not come. */
function troubleOf(error: unknown): 'conflict' | 'locked' | null {
  if (!(error instanceof Error)) return null
  const { codes, kind } = reportOf(error)
  if (kind === 'TransactionWriteConflict') return 'conflict'
  if (codes.some((one) => ['P2034', '40001', '40P01'].includes(one))) return 'conflict'
  // Its turn did not come (client.ts, `maxWait`); nothing of it was done. P2028 is all that may go wrong with a transaction.
  return codes.includes('P2028') && error.message.includes('Unable to start a transaction') ? 'locked' : null
}
