/* When certificates count as expiring soon, and when a CA's replacement begins: the one definition for all callers. */

/** The status of a certificate over time. */
export const certificateStatuses = ['VALID', 'ENDS_SOON', 'ENDED'] as const
export type CertificateStatus = (typeof certificateStatuses)[number]

/** One day in milliseconds. */
export const day = 86_400_000

/** How long before its end a certificate causes warnings, in days; the longest first. */
const warningDays = [30, 7, 1] as const

/** The only warning, in days, for a lifetime of less than four days. */
const lastWarningDays = 0.25

/** Every time before an end that can have a warning, in days; the longest first. */
export const allWarningDays = [...warningDays, lastWarningDays] as const
export type WarningDays = (typeof allWarningDays)[number]

/**
 * The warning times of a certificate: those of 30, 7 and 1 days that are at most a quarter of its lifetime, so that no
 * certificate causes a warning from its first day. Agents renew when a third is left: a certificate in its last quarter
 * was not renewed in time.
 * @param lifetimeDays the total lifetime
 * @returns days, the longest first; never empty
 */
export function warningsOf(lifetimeDays: number): readonly [WarningDays, ...WarningDays[]] {
  const [first, ...rest] = warningDays.filter((days) => days <= lifetimeDays / 4)
  return first === undefined ? [lastWarningDays] : [first, ...rest]
}

/** The period in which something is valid. */
export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

export const lifetimeDaysOf = ({ notBefore, notAfter }: Validity): number =>
  (notAfter.getTime() - notBefore.getTime()) / day

/** @param lifetimeDays the total lifetime */
export function statusAt(notAfter: Date, lifetimeDays: number, now: Date): CertificateStatus {
  const left = notAfter.getTime() - now.getTime()
  if (left <= 0) return 'ENDED'
  return left <= warningsOf(lifetimeDays)[0] * day ? 'ENDS_SOON' : 'VALID'
}

/**
 * When a CA is to be replaced automatically: 30 days before its end, or when a quarter of its lifetime is left if that
 * is later. A rotation needs minutes when all nodes are present; the rest is for people to find out what delays it.
 */
export function replacementDueAt({ notBefore, notAfter }: Validity): Date {
  const ahead = Math.min(30 * day, (notAfter.getTime() - notBefore.getTime()) / 4)
  return new Date(notAfter.getTime() - ahead)
}
