/** Every status of a node, the best first. */
export const statuses = ['ONLINE', 'OUTDATED', 'FAILING', 'OFFLINE', 'PENDING', 'BLOCKED'] as const

export type Status = (typeof statuses)[number]

export interface Counts {
  readonly online: number
  readonly outdated: number
  readonly failing: number
  readonly offline: number
  readonly pending: number
  readonly blocked: number
}

export const countsByStatus = (counts: Counts): Record<Status, number> => ({
  ONLINE: counts.online,
  OUTDATED: counts.outdated,
  FAILING: counts.failing,
  OFFLINE: counts.offline,
  PENDING: counts.pending,
  BLOCKED: counts.blocked,
})
