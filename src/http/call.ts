import { randomUUID } from 'node:crypto'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Session } from '../auth/session.ts'
import type { Logger } from '../base/log.ts'
import type { Presence } from '../domain/presence.ts'

export interface CallMeans {
  readonly authenticate: Authenticate
  readonly log: Logger
  readonly presence: Presence
}

/** One call of a client, whichever way it takes through src/http: its id, its log, and who makes it. */
export class Call {
  /** Made here, never taken from the caller; it is in the answer's `x-request-id` and in every line of the log. */
  readonly id = randomUUID()
  readonly #authorization: string | null
  readonly #means: CallMeans
  #log: Logger | null = null
  #session: Promise<Session> | null = null
  #callerKind: Session['kind'] | null = null

  /** @param authorization the header; null when there is none */
  constructor(authorization: string | null, means: CallMeans) {
    this.#authorization = authorization
    this.#means = means
  }

  /** The log, with the call's id in every line. */
  get log(): Logger {
    return (this.#log ??= this.#means.log.child({ requestId: this.id }))
  }

  /** Who asks: looked up at most once, and only where somebody wants to know. */
  session(): Promise<Session> {
    return (this.#session ??= this.#authenticated())
  }

  /** Who asks now: the same credential, looked up once more. A node that asks, or holds a stream open, is seen. */
  async authenticateAgain(): Promise<Session> {
    const session = await this.#means.authenticate(this.#authorization)
    if (session.kind === 'node') this.#means.presence.seen(session.nodeId)
    return session
  }

  /** The kind of the caller, for the log; null as long as nobody asked for the session. */
  get callerKind(): Session['kind'] | null {
    return this.#callerKind
  }

  async #authenticated(): Promise<Session> {
    const session = await this.authenticateAgain()
    this.#callerKind = session.kind
    return session
  }
}
