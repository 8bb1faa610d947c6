import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'

import { bearerCredential, type Authenticate, type Occasion } from '../../auth/authenticate.ts'
import type { Session } from '../../auth/session.ts'
import { AbandonedError } from '../../base/limits/fair-queue.ts'
import type { Logger } from '../../base/log.ts'
import type { Presence } from '../../domain/presence/presence.ts'
import type { RefusedSignIns } from '../../domain/tenants/refused-sign-ins.ts'
import type { Origin } from '../../domain/tenants/sign-ins.ts'
import { isSignedIn, nodeIn } from '../../graphql/kit/access.ts'
import { pathOf, urlOf } from './addresses.ts'
import type { Incoming } from './incoming.ts'
import type { Caller, Strangers } from './strangers.ts'

export interface CallDependencies {
  readonly authenticate: Authenticate
  readonly log: Logger
  readonly presence: Presence
  readonly strangers: Strangers
  readonly refusedSignIns: Pick<RefusedSignIns, 'note'>
}

/** One call of a client, from its request to its answer: its id, its log and its caller. */
export class Call {
  /** Generated here, never taken from the client; it is in the answer's `x-request-id` and in every log line. */
  readonly id = randomUUID()
  readonly request: Incoming
  /** The normalized path of the address; null if the address or the Host header is malformed. */
  readonly path: string | null
  /** What is known of the caller before the credential is looked up. */
  readonly caller: Caller
  readonly #dependencies: CallDependencies
  #log: Logger | null = null
  #session: Promise<Session> | null = null
  #leaving: AbortController | null = null
  #hasLeft = false
  #lastly: (() => Promise<void>) | null = null

  constructor(request: Incoming, dependencies: CallDependencies) {
    this.request = request
    this.path = pathOf(request)
    this.caller = dependencies.strangers.callerOf(request)
    this.#dependencies = dependencies
  }

  get method(): string {
    return this.request.method ?? ''
  }

  /** The whole address; null if it is malformed. */
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

  /** Aborts when the client has left; created on first use, since most calls end before. */
  get left(): AbortSignal {
    if (!this.#leaving) {
      this.#leaving = new AbortController()
      // One request may start several pieces of work; Node warns of a leak from eleven listeners on.
      setMaxListeners(0, this.#leaving.signal)
      if (this.#hasLeft) this.#leaving.abort(abandoned())
    }
    return this.#leaving.signal
  }

  /** To be called when the client has left: work for its answer may stop. */
  leave(): void {
    this.#hasLeft = true
    this.#leaving?.abort(abandoned())
  }

  /** Registers work to be done after the call is answered, with success or not; only one per call. */
  whenOver(work: () => Promise<void>): void {
    this.#lastly = work
  }

  /** To be called when the call is answered; null if nothing is left to do. */
  over(): Promise<void> | null {
    return this.#lastly?.() ?? null
  }

  /** The log, with the call's id in every line. */
  get log(): Logger {
    return (this.#log ??= this.#dependencies.log.child({ requestId: this.id }))
  }

  /**
   * The caller's session, looked up on first use and only once.
   * @throws LimitError when too many requests without a valid credential come from the caller's address
   */
  session(): Promise<Session> {
    if (!this.#session) {
      // At once, so that nothing of a refused call is read.
      this.admit()
      this.#session = this.#recogniseCaller()
    }
    return this.#session
  }

  /**
   * To be called before a credential that is not in the header is looked up.
   * @throws LimitError when the caller's address is far beyond its budget
   */
  admit(): void {
    this.#dependencies.strangers.admit(this.caller)
  }

  /**
   * Counts a call that has no valid credential, or that needs no credential but is costly.
   * @throws LimitError
   */
  countAsStranger(): void {
    this.#dependencies.strangers.count(this.caller)
  }

  /** Notes for the audit trail that a sign-in link or an access token was refused. */
  noteRefused(credential: string | null): void {
    this.#dependencies.refusedSignIns.note(credential, this.from)
  }

  /** Where the call comes from, for the audit trail. */
  get from(): Origin {
    return { requestId: this.id, address: this.caller.address }
  }

  /** Returns a function that authenticates the caller again and notes its presence; it keeps only the credential. */
  reauthentication(): () => Promise<Session> {
    const dependencies = this.#dependencies
    const { authorization } = this.caller
    return () => recognise(dependencies, authorization, 'check')
  }

  /** What the log needs of the call after the call is over. */
  origin(): Pick<Call, 'id' | 'log'> {
    const { id } = this
    const { log } = this.#dependencies
    return {
      id,
      get log() {
        return log.child({ requestId: id })
      },
    }
  }

  /** The kind of the caller, for the log; null if the session was not needed or could not be looked up. */
  async callerKind(): Promise<Session['kind'] | null> {
    return this.#session?.then(({ kind }) => kind).catch(() => null) ?? null
  }

  async #recogniseCaller(): Promise<Session> {
    const { strangers } = this.#dependencies
    const { authorization } = this.caller
    const session = await recognise(this.#dependencies, authorization, 'request')
    if (isSignedIn(session)) strangers.remember(this.caller)
    else {
      this.noteRefused(bearerCredential(authorization))
      strangers.count(this.caller)
    }
    return session
  }
}

async function recognise(
  { authenticate, presence }: CallDependencies,
  authorization: string | null,
  occasion: Occasion,
): Promise<Session> {
  const session = await authenticate(authorization, occasion)
  const node = nodeIn(session)
  if (node) presence.seen(node.nodeId)
  return session
}

const abandoned = () => new AbandonedError('the client has left')
