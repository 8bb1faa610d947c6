import { randomUUID } from 'node:crypto'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Session } from '../auth/session.ts'
import type { Logger } from '../base/log.ts'
import type { Frames } from './event-frames.ts'

interface Means {
  readonly authenticate: Authenticate
  readonly log: Logger
}

/** One request on its way to its answer: what every storey of src/http is handed. */
export class Exchange {
  /** Made here, never taken from the caller; it is in the answer's `x-request-id` and in every line of the log. */
  readonly id = randomUUID()
  readonly request: Request
  readonly url: URL
  /** Whether the answer goes to a socket, whose holder writes `events` behind its head. */
  readonly isOnSocket: boolean
  /** A subscription's events; null where the answer is a document. */
  events: Frames | null = null
  readonly #means: Means
  #log: Logger | null = null
  #session: Promise<Session> | null = null
  #callerKind: Session['kind'] | null = null

  /** @throws TypeError when the request's address is none */
  constructor(request: Request, means: Means, { isOnSocket }: { readonly isOnSocket: boolean }) {
    this.isOnSocket = isOnSocket
    this.request = request
    this.url = new URL(request.url)
    this.#means = means
  }

  /** The log, with the request's id in every line. */
  get log(): Logger {
    return (this.#log ??= this.#means.log.child({ requestId: this.id }))
  }

  /** Who asks: looked up at most once, and only where somebody wants to know. */
  session(): Promise<Session> {
    return (this.#session ??= this.#authenticated())
  }

  /** Recognises who asks anew, by the same credential; keeps nothing else of the request. */
  reauthentication(): () => Promise<Session> {
    const { authenticate } = this.#means
    const credential = this.request.headers.get('authorization')
    return () => authenticate(credential)
  }

  /** What the log needs of the request when that is over. */
  origin(): Pick<Exchange, 'id' | 'log'> {
    const { id } = this
    const { log } = this.#means
    return {
      id,
      get log() {
        return log.child({ requestId: id })
      },
    }
  }

  /** The kind of the caller, for the log; null as long as nobody asked for the session. */
  get callerKind(): Session['kind'] | null {
    return this.#callerKind
  }

  async #authenticated(): Promise<Session> {
    const session = await this.#means.authenticate(this.request.headers.get('authorization'))
    this.#callerKind = session.kind
    return session
  }
}

/** Answers a request. What it throws is a fault of ours: logged, and masked. */
export type Handler = (exchange: Exchange) => Response | Promise<Response>

/** One concern that cuts across all routes, laid around a handler. */
export type Middleware = (next: Handler) => Handler
