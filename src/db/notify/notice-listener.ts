import type pg from 'pg'

import type { Logger } from '../../base/log.ts'
import { noticeChannel } from './notice-sender.ts'
import type { PostgresConnections } from '../client/postgres-connections.ts'

interface Options {
  readonly log: Pick<Logger, 'warn' | 'info'>
  readonly onNotice: (text: string | undefined) => void
  /** The connection was lost and is restored: notices may have been lost in between. */
  readonly onGap: () => void
  /** Milliseconds. */
  readonly retry: number
}

const longestPause = 5000
/**
 * Periodic queries detect a connection that was cut silently; in milliseconds. This connection is queried this often on
 * behalf of all: if it stays silent, all of them are tested (postgres-connections.ts).
 */
const pulse = { every: 2000, patience: 3000 }

/** The name of its connection in `pg_stat_activity`. */
const listenerName = 'orrery listener'

/** Listens to the other instances on its own connection, which is restored whenever it is lost, until `close`. */
export class NoticeListener {
  readonly #connections: PostgresConnections
  readonly #options: Options
  #client: pg.Client | null = null
  #isClosed = false
  #failures = 0
  #timer: NodeJS.Timeout | undefined

  constructor(connections: PostgresConnections, options: Options) {
    this.#connections = connections
    this.#options = options
  }

  /** Resolves after the first try; if that fails, others follow. */
  start(): Promise<void> {
    return this.#connect(false)
  }

  /** Whether the connection listens now. */
  get isListening(): boolean {
    return this.#client !== null
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#client?.end()
  }

  async #connect(isAgain: boolean): Promise<void> {
    const client = this.#connections.client(listenerName, pulse.patience)
    const connection = { isLost: false }
    const lose = (err: unknown) => {
      if (connection.isLost || this.#isClosed) return
      connection.isLost = true
      this.#lost(client, err)
    }
    client.on('error', lose)
    client.on('end', () => lose(new Error('the connection was closed')))
    client.on('notification', ({ payload }) => this.#options.onNotice(payload))
    try {
      await client.connect()
      await client.query(`LISTEN ${noticeChannel}`)
    } catch (error) {
      lose(error)
      return
    }
    if (connection.isLost) return
    this.#client = client
    if (this.#isClosed) {
      await client.end()
      return
    }
    if (this.#failures > 0) this.#options.log.info('listening to the other instances again')
    this.#failures = 0
    if (isAgain) this.#options.onGap()
    this.#beat(client, lose)
  }

  #beat(client: pg.Client, lose: (error: unknown) => void): void {
    this.#timer = setTimeout(() => {
      client.query('SELECT 1').then(() => {
        if (this.#client === client && !this.#isClosed) this.#beat(client, lose)
      }, lose)
    }, pulse.every).unref()
  }

  #lost(client: pg.Client, err: unknown): void {
    const { log, retry } = this.#options
    clearTimeout(this.#timer)
    this.#client = null
    client.end().catch(() => undefined)
    if (this.#failures === 0) log.warn({ err }, 'the connection to the other instances is lost; making it anew')
    const pause = Math.min(longestPause, retry * 2 ** this.#failures) * (0.75 + 0.5 * Math.random())
    this.#failures += 1
    this.#timer = setTimeout(() => void this.#connect(true), pause).unref()
  }
}
