import type { Logger } from './log.ts'

/** Faults of machines and databases, which a correct program meets all the same. */
export type Fault =
  'unreachable' | 'overloaded' | 'full' | 'readOnly' | 'disk' | 'damaged' | 'locked' | 'descriptors' | 'streams'

interface Description {
  /** In `extensions.code`. */
  readonly code: string
  /** Seconds after which callers may ask again. */
  readonly retryAfterSeconds: number
  /** The callers' message: what the fault means for their request, and nothing about the machine. */
  readonly message: string
  /** The log's message when the fault begins: what is wrong, and what the operator can do. */
  readonly words: string
  /** For how many milliseconds after it was last met a fault is taken to last. */
  readonly lasts: number
}

/** Longer than the pause between two failing heartbeats, each of which meets the fault again (ha/replica.ts). */
const untilNextTry = 8000

/** The texts for each fault; docs/operations.md, "Faults", has the table for people. */
export const faults: Readonly<Record<Fault, Description>> = {
  unreachable: {
    code: 'DATABASE_UNREACHABLE',
    retryAfterSeconds: 5,
    message:
      'The database does not answer at this moment. A change that was asked for may have been made or not: look, and try again.',
    words:
      'the database does not answer: connections to it fail, break or stay silent; they are made anew until it does',
    lasts: untilNextTry,
  },
  overloaded: {
    code: 'OVERLOADED',
    retryAfterSeconds: 5,
    message: 'The database has too much to do at this moment, and nothing was changed: try again.',
    words:
      'the database is overloaded: it has no connection or memory left, or statements take longer than ORRERY_DATABASE_STATEMENT_SECONDS',
    lasts: untilNextTry,
  },
  full: {
    code: 'STORAGE_FULL',
    retryAfterSeconds: 30,
    message: 'There is no room to store anything at this moment, and nothing was changed: try again later.',
    words: 'the disk is full: nothing can be written until there is room again; what is there can be read',
    lasts: untilNextTry,
  },
  readOnly: {
    code: 'STORAGE_READ_ONLY',
    retryAfterSeconds: 30,
    message: 'Nothing can be stored at this moment, and nothing was changed: try again later.',
    words: 'the database can only be read: look at its file system, its permissions, or whether it is a standby',
    lasts: untilNextTry,
  },
  disk: {
    code: 'STORAGE_FAILED',
    retryAfterSeconds: 30,
    message: 'The storage does not work at this moment: try again later.',
    words: 'the disk under the database fails to open, read or write a file: look at the system’s log',
    lasts: untilNextTry,
  },
  damaged: {
    code: 'DATABASE_DAMAGED',
    retryAfterSeconds: 60,
    message: 'A part of the database cannot be read, and nothing was changed: whoever runs this server has to mend it.',
    words:
      'the database is damaged: pages of it make no sense. Stop Orrery, keep a copy of the file, restore a backup (docs/operations.md, "Faults")',
    lasts: 60_000,
  },
  locked: {
    code: 'TRY_AGAIN',
    retryAfterSeconds: 1,
    message: 'Others change the same at this moment, and nothing was changed: try again',
    words:
      'another process keeps the database’s write lock: changes wait for it for five seconds, then they are refused',
    lasts: untilNextTry,
  },
  descriptors: {
    code: 'OVERLOADED',
    retryAfterSeconds: 5,
    message: 'This server has too many connections at this moment: try again.',
    words: 'no file descriptors are left for further connections: raise the limit (ulimit -n, LimitNOFILE)',
    lasts: untilNextTry,
  },
  streams: {
    code: 'OVERLOADED',
    retryAfterSeconds: 30,
    message: 'This server has as many open streams as it can hold: poll meanwhile, and try again later.',
    words:
      'there are as many streams as file descriptors allow, further ones are refused: raise the limit (ulimit -n, LimitNOFILE) or run more instances',
    lasts: untilNextTry,
  },
}

type Log = Pick<Logger, 'error' | 'info'>

/** The faults of this moment. The log names each once when it begins and once when it is over. */
export class Faults {
  readonly #last = new Map<Fault, number>()
  #log: Log | null = null

  /** From now on, faults go to the log. */
  tell(log: Log): void {
    this.#log = log
  }

  /** Records that a fault was met. @param reason the driver's or the system's message, for the log */
  note(fault: Fault, reason: string): void {
    const isNew = !this.#last.has(fault)
    this.#last.set(fault, performance.now())
    if (!isNew) return
    this.#log?.error({ fault, reason }, faults[fault].words)
    this.#look(fault, faults[fault].lasts)
  }

  /** The faults that were met recently. */
  get present(): readonly Fault[] {
    return [...this.#last.keys()]
  }

  #look(fault: Fault, delay: number): void {
    setTimeout(() => {
      const rest = (this.#last.get(fault) ?? 0) + faults[fault].lasts - performance.now()
      if (rest > 0) {
        this.#look(fault, rest)
        return
      }
      this.#last.delete(fault)
      this.#log?.info({ fault }, 'this fault was not met any more')
    }, delay).unref()
  }
}

/** The fault that a system error stands for, by its code (errno); null for any other error. */
export function faultOfSystem(code: string): Fault | null {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return 'full'
    case 'EROFS':
      return 'readOnly'
    case 'EIO':
      return 'disk'
    case 'EMFILE':
    case 'ENFILE':
      return 'descriptors'
    default:
      return null
  }
}
