import { systemInTrail } from '../../auth/actor.ts'
import type { Scope } from '../../auth/scope.ts'
import { TokenBuckets } from '../../base/limits/token-buckets.ts'
import { withOthers } from '../../base/with-others.ts'
import { append } from '../../db/audit/append.ts'
import { eventOf, recordedDb, Recording, type Intent, type Repeatable } from '../../db/audit/recording.ts'
import type { Target } from '../../db/audit/watched.ts'

export type { Intent } from '../../db/audit/recording.ts'
export type { Target } from '../../db/audit/watched.ts'

/** The same scope, in which every change appends its event to the audit trail, in the change's own transaction. */
export function recordedScope<S extends Scope>(
  scope: S,
  intent: Intent,
  repeatable: Repeatable | null = null,
): { scope: S; recording: Recording } {
  const recording = new Recording(intent, repeatable)
  // Made on first use: a scope makes its client only when it is needed.
  let db: S['db'] | null = null
  const others = {
    recording,
    get db() {
      return (db ??= recordedDb(scope.db, recording))
    },
  }
  return { scope: withOthers(scope, others), recording }
}

/** The server's own change, in the trail of the tenant that it concerns. */
export const bySystem = <S extends Scope>(scope: S, action: string): S =>
  recordedScope(scope, { action, actor: systemInTrail, tenantId: null, requestId: null, address: null }).scope

/** Notes what each of several callers has a share in, in a transaction that one of them makes for all. */
export function shareRecord(
  scope: Scope,
  shares: readonly { readonly scope: Scope; readonly targets: readonly Target[] }[],
): void {
  if (scope.recording === null) return
  scope.recording.shares = shares.flatMap(({ scope: { recording }, targets }) =>
    recording === null ? [] : [{ recording, targets }],
  )
}

/** Notes the new token of a change, which is shown once, for callers who ask again because the answer was lost. */
export function shownOnce<Made extends { readonly token: string }>({ recording }: Scope, made: Made): Made {
  if (recording !== null) recording.secret = made.token
  return made
}

/** Notes what a change was asked for, where the changed columns do not say it: the event's `after` shows it as Terms. */
export function noteTerms({ recording }: Scope, terms: Readonly<Record<string, number>>): void {
  if (recording !== null) recording.terms = terms
}

/** What an event is about, where no statement tells. */
export interface About {
  readonly targets: readonly Target[]
  readonly clusterId?: string | null
  readonly version?: number | null
}

/** Records what changed no row, or rows that are not watched, in a transaction of its own. */
export async function recordDone(scope: Scope, intent: Intent, about: About): Promise<void> {
  const { targets, clusterId = null, version = null } = about
  const event = { ...eventOf(intent, targets), clusterId, version }
  await scope.db.$transaction((tx) => append(tx, event))
}

/** How many refusals of each caller are recorded. */
export type RefusalBudget = Pick<TokenBuckets, 'take'>

/** One for each server: sixty refusals of a caller, then one each second. */
export const refusalBudget = (): RefusalBudget => new TokenBuckets({ perSecond: 1, burst: 60, debt: 0, keys: 10_000 })

/**
 * Records that somebody tried something and was refused, in a transaction of its own: the change's is rolled back. A
 * caller that is refused again and again fills neither the disk nor the chain: what is beyond its budget is not recorded.
 * @param why the error's name or code
 */
export async function recordRefused(
  { scope, refusals }: { readonly scope: Scope; readonly refusals: RefusalBudget },
  intent: Intent,
  about: About & { readonly why: string },
): Promise<void> {
  const { actor, tenantId } = intent
  if (!refusals.take(JSON.stringify([tenantId, actor.kind, actor.name, actor.credentialId]))) return
  const { targets, clusterId = null, why } = about
  const event = { ...eventOf(intent, targets), clusterId, outcome: 'refused', refusal: why }
  await scope.db.$transaction((tx) => append(tx, event))
}
