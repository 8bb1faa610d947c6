import type { Session } from '../auth/session.ts'
import type { Tokens } from '../auth/tokens.ts'
import type { Enrolments } from '../domain/enrolment.ts'
import type { LiveClusters } from '../domain/live/clusters.ts'
import type { Vault } from '../domain/vault.ts'
import type { Loaders } from './loaders.ts'

/** What every resolver is given: who calls, and the means of this server. */
export interface Context {
  readonly session: Session
  readonly tokens: Tokens
  readonly vault: Vault
  readonly enrolments: Enrolments
  /** Recognises the caller anew by the same credential: a stream outlives what was true when it began. */
  readonly authenticateAgain: () => Promise<Session>
  /** What happens to clusters, for streams; ends them when the server stops. */
  readonly live: LiveClusters
  /** Look-ups gathered across the fields of this one request. */
  readonly loaders: Loaders
}
