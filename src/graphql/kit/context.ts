import type { Session } from '../../auth/session.ts'
import type { Tokens } from '../../auth/tokens.ts'
import type { FairQueue } from '../../base/limits/fair-queue.ts'
import type { Enrolments } from '../../domain/nodes/enrolment.ts'
import type { LiveClusters } from '../../domain/live/clusters.ts'
import type { Presence } from '../../domain/presence/presence.ts'
import type { Vault } from '../../domain/pki/vault.ts'
import { Loaders } from '../rows/loaders.ts'

/** What every resolver is given: who calls, and the means of this server. */
export interface Context {
  readonly session: Session
  readonly tokens: Tokens
  readonly vault: Vault
  readonly enrolments: Enrolments
  /** Takes what nodes report. */
  readonly presence: Presence
  /**
   * Gives what recognises the caller anew by the same credential: a stream outlives what was true when it began. It
   * holds the credential and not the request.
   */
  readonly reauthentication: () => () => Promise<Session>
  /** What happens to clusters, for streams; ends them when the server stops. */
  readonly live: LiveClusters
  /** Whether what is asked was found to be within `queryLimits` before, and costs the same each time. */
  readonly isMeasured: boolean
  /** Where expensive work waits for its tenant's turn. */
  readonly expensive: FairQueue
  /** Fires when the client has left, so that nobody reads the answer. */
  readonly left: () => AbortSignal
  /** Look-ups gathered across the fields of this one request. */
  readonly loaders: Loaders
}

/** A context for answering one event of a stream, without what belongs to the request that opened it. */
export function detached(context: Context): Context {
  const { session, tokens, vault, enrolments, presence, live, expensive, left } = context
  const again = context.reauthentication()
  const own = { reauthentication: () => again, isMeasured: false, loaders: new Loaders() }
  return { session, tokens, vault, enrolments, presence, live, expensive, left, ...own }
}
