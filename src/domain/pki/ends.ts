/* When certificates count as ending soon, and when a CA's replacement begins: one place for all who ask. */

/** What has become of a certificate, as time goes. */
export const certificateStatuses = ['VALID', 'ENDS_SOON', 'ENDED'] as const
export type CertificateStatus = (typeof certificateStatuses)[number]

/** In milliseconds. */
export const day = 86_400_000

/** How long before its end a certificate is spoken of, in days; the longest first. */
const warningDays = [30, 7, 1] as const

/** The same for what is valid for less than four days, in days. */
const lastWarningDays = 0.25

/** Every time before an end that somebody may be told at, in days; the longest first. */
export const allWarningDays = [...warningDays, lastWarningDays] as const
export type WarningDays = (typeof allWarningDays)[number]

/**
 * How long before its end a certificate is spoken of: those of 30, 7 and 1 days that are a quarter of its life at most, so
 * that nothing is warned of from the day it is made. Agents renew when a third is left: what is in its last quarter was
 * not renewed in time.
 * @param lifetimeDays for which it is valid in all
 * @returns days, the longest first; never none
 */
export function warningsOf(lifetimeDays: number): readonly [WarningDays, ...WarningDays[]] {
  const [first, ...rest] = warningDays.filter((days) => days <= lifetimeDays / 4)
  return first === undefined ? [lastWarningDays] : [first, ...rest]
}

/** When something begins and ends to be valid. */
export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

export const lifetimeDaysOf = ({ notBefore, notAfter }: Validity): number =>
  (notAfter.getTime() - notBefore.getTime()) / day

/** @param lifetimeDays for which it is valid in all */
export function statusAt(notAfter: Date, lifetimeDays: number, now: Date): CertificateStatus {
  const left = notAfter.getTime() - now.getTime()
  if (left <= 0) return 'ENDED'
  return left <= warningsOf(lifetimeDays)[0] * day ? 'ENDS_SOON' : 'VALID'
}

/**
 * When a CA is to be replaced by itself: 30 days before its end, or when a quarter of its life is left where that is
 * later. A rotation needs minutes where all nodes are there; the rest is for people to see what holds it up.
 */
export function replacementDueAt({ notBefore, notAfter }: Validity): Date {
  const ahead = Math.min(30 * day, (notAfter.getTime() - notBefore.getTime()) / 4)
  return new Date(notAfter.getTime() - ahead)
}
