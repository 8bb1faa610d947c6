import * as z from 'zod'

import { ValidationError } from '../../base/errors.ts'
import type { Problem } from '../../base/issues.ts'
import { lineProblem, textProblem } from '../../base/texts/text.ts'
import { isVersion } from '../../nebula/version.ts'
import { addProblem, issueAt, rule } from './issues.ts'

/**
 * Checks an input against its rules and returns the transformed input (trimmed names, defaults).
 * @throws ValidationError with every broken rule and the path to it
 */
export function check<Shape extends z.ZodType>(rules: Shape, input: unknown, at: readonly string[] = ['input']) {
  const result = rules.safeParse(input)
  if (result.success) return result.data
  const [first, ...rest] = result.error.issues.map((issue) => issueAt(issue, at))
  // A failed parse has at least one issue, which the type does not express.
  throw new ValidationError([first ?? { path: at, code: 'INVALID_FORMAT', message: 'is not valid' }, ...rest])
}

/** Converts a rule of base/text.ts into one of an input. */
function obeys(problemOf: (text: string) => Problem | null) {
  return (text: string, context: z.RefinementCtx): void => {
    const problem = problemOf(text)
    if (problem !== null) addProblem(context, problem)
  }
}

/** A text of one line that is not empty once trimmed. */
const lineRule = z
  .string()
  .superRefine(obeys(lineProblem))
  .transform((name) => name.trim())
  .refine((name) => name.length > 0, rule('REQUIRED', 'must not be empty'))

/** Any name: 1 to 255 characters once trimmed, without control characters. */
export const nameRule = lineRule.refine(
  (name) => [...name].length <= 255,
  rule('TOO_LONG', 'must have at most 255 characters'),
)

/** A name in certificates, which limit its length (slackhq/nebula cert/cert_v2.go, MaxNameLength). */
export const certifiedNameRule = lineRule.refine(
  (name) => Buffer.byteLength(name) <= 253,
  rule('TOO_LONG', 'must have at most 253 bytes of UTF-8'),
)

/** Nebula's groups; nebula-cert separates them with commas. */
export const groupRule = certifiedNameRule.refine(
  (group) => !group.includes(','),
  rule('INVALID_CHARACTER', 'must not contain a comma'),
)

/** A UDP port. */
export const portRule = z.int('must be a whole number').min(1, 'must be 1 to 65535').max(65535, 'must be 1 to 65535')

/** The output of Nebula's `-version`. */
export const nebulaVersionRule = z
  .string()
  .max(100, 'must have at most 100 characters')
  .refine(isVersion, rule('INVALID_FORMAT', 'must be a version such as 1.9.5'))

/** Nebula's certificate format. */
export const certificateVersionRule = z.int('must be 1 or 2').min(1, 'must be 1 or 2').max(2, 'must be 1 or 2')

const days = (most: number) => {
  const message = `must be 1 to ${most} days`
  return z.int('must be a whole number').min(1, message).max(most, message)
}

/** How long a node's certificate is valid, in days. */
export const certificateLifetimeRule = days(3650)

/** How long a new CA is valid, in days. */
export const caLifetimeRule = days(7300)

/** The maximum packet size of the tunnel device, in bytes. */
export const mtuRule = z
  .int('must be a whole number')
  .min(1280, 'must be 1280 to 9000 bytes')
  .max(9000, 'must be 1280 to 9000 bytes')

/** A free text for people, such as a bundle's message. */
export const messageRule = z
  .string()
  .superRefine(obeys(textProblem))
  .trim()
  .max(1000, 'must have at most 1000 characters')

/** A text of one line, trimmed, that may be empty. */
export const shortLineRule = (most: number) =>
  z
    .string()
    .superRefine(obeys(lineProblem))
    .trim()
    .refine((text) => [...text].length <= most, rule('TOO_LONG', `must have at most ${most} characters`))

/** What people note about a thing, on one line; null, or nothing but spaces, for no description. */
export const descriptionRule = shortLineRule(500)
  .transform((text) => (text === '' ? null : text))
  .nullable()

/** A part of a name that filters a list: no name is longer, and SQLite matches at most 50 000 bytes. */
export const namePartRule = z.string().superRefine(obeys(lineProblem)).max(255, 'must have at most 255 characters')

type Optional<T, Key extends keyof T> = undefined extends T[Key] ? Key : never
type Defined<T> = { [Key in keyof T as Exclude<Key, Optional<T, Key>>]: T[Key] } & {
  [Key in keyof T as Optional<T, Key>]?: Exclude<T[Key], undefined>
}

/** The fields that were given: an absent field of an update stays unchanged. */
export const defined = <T extends object>(fields: T): Defined<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>
