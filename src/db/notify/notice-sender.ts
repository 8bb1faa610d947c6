import type { Logger } from '../../base/log.ts'
import type { ChangeEvent } from './changes.ts'
import type { Database } from '../client/client.ts'
import { writeNotices } from './notices.ts'

/** The channel of NOTIFY and LISTEN; channels belong to one database. */
export const noticeChannel = 'orrery_changes'

/**
 * Events that may wait while the database does not answer; above that, the other instances only learn that they missed
 * some.
 */
const mostWaiting = 5000
/** Delay after a failure, before the other instances are told that they missed events, in milliseconds. */
const pause = 1000

interface Options {
  readonly self: string
  readonly log: Pick<Logger, 'warn'>
}

/**
 * Sends events to the other instances. Events of one tick of the event loop, and those that arrive during the previous
 * send, share one statement.
 */
export class NoticeSender {
  readonly #client: Database['client']
  readonly #options: Options
  #waiting: ChangeEvent[] = []
  #sending: Promise<void> | null = null
  #isClosing = false

  constructor(client: Database['client'], options: Options) {
    this.#client = client
    this.#options = options
  }

  send(event: ChangeEvent): void {
    this.#waiting.push(event)
    if (this.#waiting.length > mostWaiting) this.#waiting = [{ kind: 'missed' }]
    this.#sending ??= this.#run()
  }

  /** Resolves when no event waits, or when sending fails. From now on nothing is retried. */
  async close(): Promise<void> {
    this.#isClosing = true
    await this.#sending
  }

  async #run(): Promise<void> {
    let hasFailed = false
    // Waits for the end of the tick of the event loop.
    await new Promise((resolve) => setImmediate(resolve))
    while (this.#waiting.length > 0) {
      const events = this.#waiting
      this.#waiting = []
      try {
        const notices = writeNotices(this.#options.self, events)
        await this.#client.$executeRaw`
          SELECT pg_notify(${noticeChannel}, notice) FROM unnest(${notices}::text[]) AS notice`
      } catch (err) {
        if (!hasFailed) this.#options.log.warn({ err }, 'the other instances could not be told of changes')
        hasFailed = true
        if (this.#isClosing) break
        await new Promise((resolve) => setTimeout(resolve, pause))
        this.#waiting = [{ kind: 'missed' }]
      }
    }
    this.#sending = null
  }
}
