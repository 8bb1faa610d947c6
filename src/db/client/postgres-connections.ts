import { Socket } from 'node:net'

import pg from 'pg'

/** How long a statement may take before its connection is destroyed, in milliseconds. */
const defaultDeadline = 8000
/** The server aborts a statement this much earlier, so only a dead connection reaches the deadline. */
const serverAhead = 2000
/** How long making a connection may take, in milliseconds. */
const connectDeadline = 4000
/**
 * How long a statement may wait for a connection of the pool, in milliseconds. Many changes of one cluster wait for each
 * other's lock, each with a connection; one that is silent is given back by its deadline long before.
 */
const poolDeadline = 30_000
/** How long a suspected connection may stay silent, and how long an ended one may take to close, in milliseconds. */
const lastPatience = 1000
/** Idle time before the system checks that the other end of a connection still exists, in milliseconds. */
const keepAliveDelay = 10_000

/** An abandoned connection; its code makes pg's adapter treat it like a connection that the system reports as dead. */
class SilentConnectionError extends Error {
  override readonly name = 'SilentConnectionError'
  readonly code = 'ETIMEDOUT'
  readonly errno = -110
  readonly syscall = 'read'
}

/**
 * All connections to one PostgreSQL database. The network may stop forwarding packets without closing the connections
 * (a fail-over, a firewall that drops its state), and the driver would wait forever. So each statement has a deadline.
 * If one exceeds it, its connection is destroyed and all others that were open at that time are tested: such a fault
 * rarely affects only one connection, and each further user would wait as long again.
 */
export class PostgresConnections {
  readonly #url: string
  readonly #deadline: number
  readonly #open = new Set<Watch>()

  /** @param deadline for a statement, in milliseconds; the server ends it two seconds before */
  constructor(url: string, deadline = defaultDeadline) {
    this.#url = url
    this.#deadline = deadline
  }

  /** A pool of connections. A statement that finds no free connection waits for one. */
  pool(max: number): pg.Pool {
    const pool = new pg.Pool({
      connectionString: this.#url,
      max,
      Client: this.#watched(this.#deadline),
      connectionTimeoutMillis: poolDeadline,
      verify: (client, done) => {
        const most = Math.max(1000, this.#deadline - serverAhead)
        client.query(`SET statement_timeout = ${most}`).then(() => done(), done)
      },
    })
    // A lost idle connection fails no statement: the next statement opens another one.
    pool.on('error', () => undefined)
    return pool
  }

  /**
   * A connection that the caller keeps; it must listen to its `error`.
   * @param deadline for each statement, in milliseconds
   */
  client(name: string, deadline: number): pg.Client {
    const Client = this.#watched(deadline)
    return new Client({ connectionString: this.#url, application_name: name })
  }

  #watched(deadline: number): typeof pg.Client {
    const watch = (client: pg.Client, socket: Socket): void => {
      const watched = new Watch(client, socket, deadline, (begin) => this.#suspect(begin))
      this.#open.add(watched)
      socket.once('close', () => this.#open.delete(watched))
    }
    return class extends pg.Client {
      constructor(config: pg.ClientConfig) {
        const socket = new Socket()
        super({
          ...config,
          connectionTimeoutMillis: connectDeadline,
          keepAlive: true,
          keepAliveInitialDelayMillis: keepAliveDelay,
          stream: () => socket,
        })
        // pg tells of an end between two statements by an event that would end the process; the next statement fails.
        this.on('error', () => undefined)
        watch(this, socket)
      }
    }
  }

  /** Tests every connection that was open when the unanswered statement began. */
  #suspect(begin: number): void {
    for (const watch of this.#open) if (watch.since < begin) watch.suspect()
  }
}

type AnyQuery = (...given: unknown[]) => unknown

/** Destroys one connection when a statement exceeds its deadline. */
class Watch {
  readonly since = performance.now()
  readonly #client: pg.Client
  readonly #socket: Socket
  readonly #deadline: number
  readonly #onMiss: (begin: number) => void

  constructor(client: pg.Client, socket: Socket, deadline: number, onMiss: (begin: number) => void) {
    this.#client = client
    this.#socket = socket
    this.#deadline = deadline
    this.#onMiss = onMiss
    this.#boundQueries()
    this.#boundEnd()
  }

  /** Sends a query to the server. If no bytes arrive, for this query or an earlier one, the connection is destroyed. */
  suspect(): void {
    const heard = this.#socket.bytesRead
    // A failure ends the connection, and its users receive that error.
    this.#client.query('SELECT 1').catch(() => undefined)
    setTimeout(() => {
      if (this.#socket.bytesRead === heard) this.#destroy()
    }, lastPatience).unref()
  }

  #boundQueries(): void {
    const query = this.#client.query.bind(this.#client) as AnyQuery
    const bounded: AnyQuery = (...given) => {
      const settle = this.#begin()
      const callback = given.at(-1)
      if (typeof callback === 'function') {
        return query(...given.slice(0, -1), (...outcome: unknown[]) => {
          settle()
          Reflect.apply(callback, undefined, outcome)
        })
      }
      const answer = query(...given)
      if (answer instanceof Promise) answer.then(settle, settle)
      return answer
    }
    this.#client.query = bounded as pg.Client['query']
  }

  /**
   * Starts a statement's timer; returns the function that stops it. Two timers, so that a paused process checks once
   * more.
   */
  #begin(): () => void {
    const begin = performance.now()
    let timer = setTimeout(() => {
      timer = setTimeout(() => {
        this.#destroy()
        this.#onMiss(begin)
      }, lastPatience)
    }, this.#deadline - lastPatience)
    return () => clearTimeout(timer)
  }

  /** Closing a connection waits for the server's answer, forever if the server is unreachable. */
  #boundEnd(): void {
    const end = this.#client.end.bind(this.#client) as AnyQuery
    const bounded: AnyQuery = (...given) => {
      setTimeout(() => this.#socket.destroy(), lastPatience).unref()
      return end(...given)
    }
    this.#client.end = bounded as pg.Client['end']
  }

  #destroy(): void {
    this.#socket.destroy(new SilentConnectionError('the connection to the database has become silent and was given up'))
  }
}
