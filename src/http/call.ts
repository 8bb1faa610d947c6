import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'

import type { Authenticate } from '../auth/authenticate.ts'
import type { Session } from '../auth/session.ts'
import { AbandonedError } from '../base/fair-queue.ts'
import type { Logger } from '../base/log.ts'
import type { Presence } from '../domain/presence.ts'
import { nodeIn } from '../graphql/access.ts'
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
  #leaving: AbortController | null = null
  #hasLeft = false
  readonly #lastly: (() => Promise<void>)[] = []

  /** @param authorization the header; null when there is none */
  constructor(authorization: string | null, means: CallMeans, { isOnSocket } = { isOnSocket: false }) {
    this.isOnSocket = isOnSocket
    this.#authorization = authorization
    this.#means = means
  }

  /** Fires when the client has left; made where somebody waits for it, since most calls are over before. */
  get left(): AbortSignal {
    if (!this.#leaving) {
      this.#leaving = new AbortController()
      // One request may ask for several pieces of work; Node warns of a leak from eleven on.
      setMaxListeners(0, this.#leaving.signal)
      if (this.#hasLeft) this.#leaving.abort(abandoned())
    }
    return this.#leaving.signal
  }

  /** The client has left: work for its answer may stop. */
  leave(): void {
    this.#hasLeft = true
    this.#leaving?.abort(abandoned())
  }

  /** Has something done once the call has its answer, whatever that is. */
  whenOver(work: () => Promise<void>): void {
    this.#lastly.push(work)
  }

  /** The call has its answer. */
  async over(): Promise<void> {
    for (const work of this.#lastly.splice(0)) await work()
  }

  /** The log, with the call's id in every line. */
  get log(): Logger {
    return (this.#log ??= this.#means.log.child({ requestId: this.id }))
  }

  /** Who asks: looked up at most once, and only where somebody wants to know. */
  session(): Promise<Session> {
    return (this.#session ??= recognise(this.#means, this.#authorization))
  }

  /** Recognises who asks anew, by the same credential, whom it lets be seen; keeps nothing else of the call. */
  reauthentication(): () => Promise<Session> {
    const means = this.#means
    const authorization = this.#authorization
    return () => recognise(means, authorization)
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

  /** The kind of the caller, for the log; null where nobody asked for the session, or it could not be looked up. */
  async callerKind(): Promise<Session['kind'] | null> {
    return this.#session?.then(({ kind }) => kind).catch(() => null) ?? null
  }
}

async function recognise({ authenticate, presence }: CallMeans, authorization: string | null): Promise<Session> {
  const session = await authenticate(authorization)
  const node = nodeIn(session)
  if (node) presence.seen(node.nodeId)
  return session
}

const abandoned = () => new AbandonedError('the client has left')
