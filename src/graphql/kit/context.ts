import type { Session } from '../../auth/session.ts'
import type { Tokens } from '../../auth/tokens.ts'
import type { FairQueue } from '../../base/limits/fair-queue.ts'
import type { RefusalBudget } from '../../domain/audit/recorded.ts'
import type { Enrollments } from '../../domain/nodes/enrollment.ts'
import type { LiveClusters } from '../../domain/live/clusters.ts'
import type { Presence } from '../../domain/presence/presence.ts'
import type { Vault } from '../../domain/pki/vault.ts'
import { Loaders } from '../rows/loaders.ts'

/** What every resolver gets: the caller's session and the services of this server. */
export interface Context {
  readonly session: Session
  /** The request's id, for the log and the audit trail. */
  readonly requestId: string
  /** The client's address; null without a connection. */
  readonly address: string | null
  readonly tokens: Tokens
  readonly vault: Vault
  /** How many refusals of each caller are recorded in the audit trail. */
  readonly refusals: RefusalBudget
  readonly enrollments: Enrollments
  /** Collects the reports of nodes. */
  readonly presence: Presence
  /**
   * Returns a function that authenticates the caller again by the same credential: a stream outlives the facts that
   * were true when it began. The function keeps the credential alive, not the request.
   */
  readonly reauthentication: () => () => Promise<Session>
  /** The changes of clusters, for streams; it ends the streams when the server stops. */
  readonly live: LiveClusters
  /** Whether the query is known to be within `queryLimits`, and costs the same each time. */
  readonly isMeasured: boolean
  /** The queue in which expensive work waits for its tenant's turn. */
  readonly expensive: FairQueue
  /** Aborts when the client has left and its answer has no reader any more. */
  readonly left: () => AbortSignal
  /** Batches look-ups across the fields of this request. */
  readonly loaders: Loaders
}

/** A context for answering one event of a stream. It keeps nothing of the request that opened the stream. */
export function detached(context: Context): Context {
  const { session, requestId, address, tokens, vault, refusals, enrollments, presence, live, expensive, left } = context
  const again = context.reauthentication()
  const own = { reauthentication: () => again, isMeasured: false, loaders: new Loaders() }
  const services = { tokens, vault, refusals, enrollments, presence, live, expensive }
  return { session, requestId, address, left, ...services, ...own }
}
