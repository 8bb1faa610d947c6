/**
 * The kinds of rules that an input can break. They are part of the API, which explains them
 * (graphql/kit/issue-codes.ts): a code never changes its meaning.
 */
export const issueCodes = [
  'REQUIRED',
  'TOO_LONG',
  'TOO_MANY',
  'OUT_OF_RANGE',
  'INVALID_FORMAT',
  'INVALID_CHARACTER',
  'DUPLICATE',
  'NOT_ALLOWED',
  'OVERLAPS',
  'EXCLUSIVE',
  'UNUSABLE',
] as const

export type IssueCode = (typeof issueCodes)[number]

/** A broken rule, before it is known which value broke it. */
export interface Problem {
  readonly code: IssueCode
  /** The rule, for people to read. */
  readonly message: string
}

/** One rule that an input broke; `path` leads from the field's arguments to the value, e.g. `['input', 'routes', '3']`. */
export interface ValidationIssue extends Problem {
  readonly path: readonly string[]
}
