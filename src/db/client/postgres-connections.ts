import { Socket } from 'node:net'

import pg from 'pg'

/** How long a statement may take before its connection is given up, in milliseconds. */
const defaultDeadline = 8000
/** The server ends a statement by so much earlier: only a connection that carries nothing lets the deadline pass. */
const serverAhead = 2000
/** How long making a connection may take, in milliseconds. */
const connectDeadline = 4000
/**
 * How long a statement may wait for a connection of the pool, in milliseconds. Many changes of one cluster wait for each
 * other's lock, each with a connection; one that is silent is given back by its deadline long before.
 */
const poolDeadline = 30_000
/** How long a connection that is suspected may stay silent, and one that is ended may take for it, in milliseconds. */
const lastPatience = 1000
/** Before the system asks a connection that is idle whether its other end is there, in milliseconds. */
const keepAliveDelay = 10_000

/** A connection that was given up; pg's adapter takes it, by its code, for what the system says of dead connections. */
class SilentConnectionError extends Error {
  override readonly name = 'SilentConnectionError'
  readonly code = 'ETIMEDOUT'
  readonly errno = -110
  readonly syscall = 'read'
}

/**
 * All connections to one PostgreSQL database, whoever uses them. What lies between may stop to forward them without
 * closing them (a fail-over, a firewall that forgets), and the driver would wait for ever. So each statement has a
 * deadline. Where one passes it, the connection is destroyed, and all others that were open then are asked something: a
 * fault of this kind is rarely one connection's, and whoever took them next would wait as long again.
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

  /** A pool of them. A statement that finds none free waits for one. */
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
    // An idle connection that is lost fails no statement: the next one opens another.
    pool.on('error', () => undefined)
    return pool
  }

  /** One for somebody who keeps it, and who listens to its `error`. @param deadline for each statement, in milliseconds */
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
        watch(this, socket)
      }
    }
  }

  /** Tries every connection that was open when a statement began which was never answered. */
  #suspect(begin: number): void {
    for (const watch of this.#open) if (watch.since < begin) watch.suspect()
  }
}

type AnyQuery = (...given: unknown[]) => unknown

/** Lets one connection's statements pass their deadline once, and no more. */
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

  /** Asks the server something; a connection on which nothing comes, neither this nor what was asked before, is destroyed. */
  suspect(): void {
    const heard = this.#socket.bytesRead
    // Its failure is the connection's end, which others hear of.
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

  /** Starts a statement's clock; returns what stops it. A process that stood still looks once more before it judges. */
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

  /** Who takes leave of a server that does not hear it would wait for its answer for ever. */
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
