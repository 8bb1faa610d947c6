/**
 * Why an allowed value is probably a mistake. graphql/changes/change-warnings.ts explains each code to callers;
 * docs/architecture.md lists the inputs that can cause it.
 */
export const warningCodes = [
  'PUBLIC_NETWORK',
  'NETWORK_TWICE',
  'NOBODY_IN',
  'NOTHING_OUT',
  'UNKNOWN_GROUP',
  'UNKNOWN_HOST',
  'UNKNOWN_CA',
  'UNREACHED_CIDR',
  'WITHOUT_EFFECT',
  'MEANS_EVERYBODY',
  'NO_LIGHTHOUSE',
  'LIGHTHOUSE_NOT_PUBLIC',
  'LIGHTHOUSE_IPV6',
  'LIGHTHOUSE_TWICE',
  'LIGHTHOUSE_BEHIND_ROUTE',
  'RELAY_NOT_PUBLIC',
  'MTU_TOO_LARGE',
  'ROUTE_TWICE',
  'DEFAULT_ROUTE',
  'CA_ENDS_SOON',
  'CERTIFICATES_OUTLIVE_CA',
  'GROUP_NOT_SIGNED',
] as const

export type WarningCode = (typeof warningCodes)[number]

/** A probable mistake in a change that was made or previewed. */
export interface ChangeWarning {
  readonly code: WarningCode
  /** The path from the mutation's arguments to the value, as in a ValidationError. */
  readonly path: readonly string[]
  /** The probable mistake, and what to do. */
  readonly message: string
}

/** The maximum number of warnings per change: longer lists are not read. */
export const mostWarnings = 100

/** Formats names for a message: the first three, and the number of further ones. */
export function several(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`)
  const rest = names.length - shown.length
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ')
}
