import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'

import type { Authenticate } from '../../auth/authenticate.ts'
import type { Session } from '../../auth/session.ts'
import { AbandonedError } from '../../base/limits/fair-queue.ts'
import type { Logger } from '../../base/log.ts'
import type { Presence } from '../../domain/presence/presence.ts'
import { isSignedIn, nodeIn } from '../../graphql/kit/access.ts'
import { pathOf, urlOf } from './addresses.ts'
import type { Incoming } from './incoming.ts'
import type { Caller, Strangers } from './strangers.ts'

export interface CallMeans {
  readonly authenticate: Authenticate
  readonly log: Logger
  readonly presence: Presence
  readonly strangers: Strangers
}

/** One call of a client, from its request to its answer: its id, its log, and who makes it. */
export class Call {
  /** Made here, never taken from the caller; it is in the answer's `x-request-id` and in every line of the log. */
  readonly id = randomUUID()
  readonly request: Incoming
  /** Of the address, without `..` and the like; null where the address or the Host header is malformed. */
  readonly path: string | null
  /** What is known of who makes it before the credential is looked up. */
  readonly caller: Caller
  readonly #means: CallMeans
  #log: Logger | null = null
  #session: Promise<Session> | null = null
  #leaving: AbortController | null = null
  #hasLeft = false
  #lastly: (() => Promise<void>) | null = null

  constructor(request: Incoming, means: CallMeans) {
    this.request = request
    this.path = pathOf(request)
    this.caller = means.strangers.callerOf(request)
    this.#means = means
  }

  get method(): string {
    return this.request.method ?? ''
  }

  /** The whole address; null where it is malformed. */
  get url(): URL | null {
    return urlOf(this.request)
  }

  /** A header of the request, by its name in lower case; null when there is none. */
  header(name: string): string | null {
    return this.request.headers[name]?.toString() ?? null
  }

  /** The media type of the body without its parameters, in lower case. */
  get contentType(): string | undefined {
    return this.request.headers['content-type']?.split(';')[0]?.trim().toLowerCase()
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

  /** Has something done once the call has its answer, whatever that is; one thing a call. */
  whenOver(work: () => Promise<void>): void {
    this.#lastly = work
  }

  /** The call has its answer. Null where nothing is left to do. */
  over(): Promise<void> | null {
    return this.#lastly?.() ?? null
  }

  /** The log, with the call's id in every line. */
  get log(): Logger {
    return (this.#log ??= this.#means.log.child({ requestId: this.id }))
  }

  /**
   * Who asks: looked up at most once, and only where somebody wants to know.
   * @throws LimitError where too many requests without a valid credential come from the caller's address
   */
  session(): Promise<Session> {
    return (this.#session ??= recogniseCaller(this.#means, this.caller))
  }

  /**
   * For calls with a credential that is not in their header: before it is looked up.
   * @throws LimitError where the caller's address is far beyond its budget
   */
  admit(): void {
    this.#means.strangers.admit(this.caller)
  }

  /**
   * Counts a call that has no valid credential, or needs none and costs something.
   * @throws LimitError
   */
  countAsStranger(): void {
    this.#means.strangers.count(this.caller)
  }

  /** Recognises who asks anew, by the same credential, whom it lets be seen; keeps nothing else of the call. */
  reauthentication(): () => Promise<Session> {
    const means = this.#means
    const { authorization } = this.caller
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

async function recogniseCaller(means: CallMeans, caller: Caller): Promise<Session> {
  const { strangers } = means
  strangers.admit(caller)
  const session = await recognise(means, caller.authorization)
  if (isSignedIn(session)) strangers.remember(caller)
  else strangers.count(caller)
  return session
}

async function recognise({ authenticate, presence }: CallMeans, authorization: string | null): Promise<Session> {
  const session = await authenticate(authorization)
  const node = nodeIn(session)
  if (node) presence.seen(node.nodeId)
  return session
}

const abandoned = () => new AbandonedError('the client has left')
