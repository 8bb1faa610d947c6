import { randomUUID } from 'node:crypto'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Session } from '../auth/session.ts'
import type { Logger } from '../base/log.ts'
import type { Presence } from '../domain/presence.ts'
import type { Frames } from './event-frames.ts'

export interface CallMeans {
  readonly authenticate: Authenticate
  readonly log: Logger
  readonly presence: Presence
}

/** One call of a client, whichever way it takes through src/http: its id, its log, and who makes it. */
export class Call {
  /** Made here, never taken from the caller; it is in the answer's `x-request-id` and in every line of the log. */
  readonly id = randomUUID()
  /** Whether the answer goes to a socket, whose holder writes `events` behind its head. */
  readonly isOnSocket: boolean
  /** A subscription's events; null where the answer is a document. */
  events: Frames | null = null
  readonly #authorization: string | null
  readonly #means: CallMeans
  #log: Logger | null = null
  #session: Promise<Session> | null = null
  #callerKind: Session['kind'] | null = null

  /** @param authorization the header; null when there is none */
  constructor(authorization: string | null, means: CallMeans, { isOnSocket } = { isOnSocket: false }) {
    this.isOnSocket = isOnSocket
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

  /** Recognises who asks anew, by the same credential, whom it lets be seen; keeps nothing else of the call. */
  reauthentication(): () => Promise<Session> {
    const { authenticate, presence } = this.#means
    const authorization = this.#authorization
    return async () => {
      const session = await authenticate(authorization)
      if (session.kind === 'node') presence.seen(session.nodeId)
      return session
    }
  }

  /** What the log needs of the call when that is over. */
  origin(): Pick<Call, 'id' | 'log'> {
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
    const session = await this.reauthentication()()
    this.#callerKind = session.kind
    return session
  }
}
