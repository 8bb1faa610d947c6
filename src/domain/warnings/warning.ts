/**
 * Why something that is allowed is unlikely to be meant. What each means to a caller is said in graphql/changes/change-warnings.ts;
 * which input can give which is said in docs/architecture.md.
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

/** What may not work as it is meant, of a change that was made or looked at. */
export interface ChangeWarning {
  readonly code: WarningCode
  /** Leads from the mutation's arguments to the value, as the path of a ValidationError does. */
  readonly path: readonly string[]
  /** What is unlikely about it, and what to do. */
  readonly message: string
}

/** How many warnings a change gives at most: nobody reads more of them. */
export const mostWarnings = 100

/** Some names as a message shows them: the first three, and how many more there are. */
export function several(names: readonly string[]): string {
  const shown = names.slice(0, 3).map((name) => `"${name}"`)
  const rest = names.length - shown.length
  return rest > 0 ? `${shown.join(', ')} and ${rest} more` : shown.join(', ')
}
