import { type Fault, faultOfSystem } from '../../base/faults.ts'

/** A fault of the database, or of the machine below it. */
export interface DatabaseFault {
  readonly fault: Fault
  /** The driver's message, for the log: without statement and values. */
  readonly reason: string
}

/**
 * Reads an error of Prisma or a driver; null when it does not concern the database itself. It knows the drivers' own
 * codes (SQLite's result codes, PostgreSQL's SQLSTATEs: appendix A of its manual, the system's), then Prisma's codes,
 * and the messages of pg's errors without a code.
 */
export function faultOf(error: unknown): DatabaseFault | null {
  if (!(error instanceof Error)) return null
  const { codes, kind, message } = reportOf(error)
  for (const code of codes) {
    const fault = faultOfCode(code)
    if (fault) return { fault, reason: `${code}: ${message}` }
  }
  const fault = faultOfKind(kind) ?? faultOfWords(error.message)
  return fault && { fault, reason: message }
}

/** The codes of an error, the most exact one first, and the driver's report inside Prisma's error. */
export function reportOf(error: Error): { codes: readonly string[]; kind: string; message: string } {
  const { code, meta, cause, message } = error as Error & { code?: unknown; meta?: Meta; cause?: Report }
  const report = meta?.driverAdapterError?.cause ?? cause
  const codes = [report?.originalCode, report?.code, code].filter((one) => typeof one === 'string')
  return { codes, kind: report?.kind ?? '', message: report?.originalMessage ?? report?.message ?? message }
}

/** The report of a driver adapter. */
interface Report {
  readonly kind?: string
  readonly originalCode?: string
  readonly originalMessage?: string
  /** Set for errors that the adapters do not know. */
  readonly code?: unknown
  readonly message?: string
}
interface Meta {
  readonly driverAdapterError?: { readonly cause?: Report }
}

/** pg's messages when a connection is lost or cannot be made: these errors have no code. */
const lostWords = /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired)/
/** The message of pg-pool when every connection is in use. */
const crowdedWords = 'timeout exceeded when trying to connect'

function faultOfWords(message: string): Fault | null {
  if (lostWords.test(message)) return 'unreachable'
  return message.startsWith(crowdedWords) ? 'overloaded' : null
}

function faultOfCode(code: string): Fault | null {
  return code.startsWith('SQLITE_')
    ? faultOfSqlite(code)
    : (faultOfPostgres(code) ?? faultOfSystem(code) ?? faultOfPrisma(code))
}

/** By the primary code (https://www.sqlite.org/rescode.html); the others extend it: SQLITE_IOERR_WRITE, … */
function faultOfSqlite(code: string): Fault | null {
  switch (code.split('_', 2)[1]) {
    case 'FULL':
      return 'full'
    case 'BUSY':
    case 'LOCKED':
    case 'PROTOCOL':
      return 'locked'
    case 'READONLY':
      return 'readOnly'
    case 'IOERR':
    case 'CANTOPEN':
      return 'disk'
    case 'CORRUPT':
    case 'NOTADB':
      return 'damaged'
    case 'NOMEM':
      return 'overloaded'
    default:
      return null
  }
}

function faultOfPostgres(code: string): Fault | null {
  switch (code) {
    case '53100':
      return 'full'
    // Out of memory, too many connections, another limit; or a statement exceeded its time limit (57014).
    case '53000':
    case '53200':
    case '53300':
    case '53400':
    case '57014':
      return 'overloaded'
    // The server stops, has crashed, or starts; or the database was dropped.
    case '57P01':
    case '57P02':
    case '57P03':
    case '57P05':
      return 'unreachable'
    case '58000':
    case '58030':
    case '58P01':
      return 'disk'
    case 'XX001':
    case 'XX002':
      return 'damaged'
    // A standby that was not promoted.
    case '25006':
      return 'readOnly'
    case 'ECONNREFUSED':
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unreachable'
    default:
      return code.startsWith('08') && code.length === 5 ? 'unreachable' : null
  }
}

/** Prisma's reference of errors: https://www.prisma.io/docs/orm/reference/error-reference. */
function faultOfPrisma(code: string): Fault | null {
  switch (code) {
    case 'P1001':
    case 'P1002':
    case 'P1008':
    case 'P1017':
      return 'unreachable'
    case 'P2024':
    case 'P2037':
      return 'overloaded'
    default:
      return null
  }
}

/** The adapters' error kinds. */
function faultOfKind(kind: string): Fault | null {
  switch (kind) {
    case 'DatabaseNotReachable':
    case 'ConnectionClosed':
    case 'SocketTimeout':
      return 'unreachable'
    case 'TooManyConnections':
      return 'overloaded'
    default:
      return null
  }
}
