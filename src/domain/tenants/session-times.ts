import type { Credential } from '../../db/client/types.ts'

const minute = 60_000
const hour = 60 * minute

/** Milliseconds: for how long a link can be used, and for how long a session lasts whatever happens. */
export const lifetimes = { link: 10 * minute, session: 7 * 24 * hour }

/**
 * For how long a session lasts that nobody uses, in milliseconds: twelve hours, and as long as the last use may stay
 * unwritten (it is rounded down to the minute, and written within another).
 */
export const idleLifetime = 12 * hour + 2 * minute

/** When a session ends unless it is used before; null for other credentials. */
export function idleEndOf({ kind, createdAt, lastUsedAt }: Pick<Credential, 'kind' | 'createdAt' | 'lastUsedAt'>) {
  if (kind !== 'session') return null
  return new Date(Math.max(createdAt.getTime(), lastUsedAt?.getTime() ?? 0) + idleLifetime)
}
