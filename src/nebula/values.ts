import * as z from 'zod'

import { parsePrefix } from '../pki/encoding/prefix.ts'

/** The types of Nebula's settings. Its own reading of YAML is lenient, so texts stand for numbers and booleans too. */

/** A whole number in bounds; `key: "4242"` is one as well. */
export const numberIn = (low: number, high: number) =>
  z.union([z.number(), z.string()]).refine((value) => {
    const number = typeof value === 'number' ? value : /^-?\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    return Number.isInteger(number) && number >= low && number <= high
  }, `must be a whole number from ${low} to ${high}`)

export const port = numberIn(0, 65_535)

/** Nebula accepts these words too, but not YAML 1.1's `on` and `off`: quoted, as they are here, they are only texts. */
export const boolean = z
  .union([z.boolean(), z.string()])
  .refine((value) => typeof value === 'boolean' || /^(y|yes|n|no|true|false)$/i.test(value), 'must be true or false')

/** A duration as Go writes it: `1m30s`. */
export const duration = z
  .union([z.string(), z.number()])
  .refine(
    (value) => /^(0|([0-9]+([.][0-9]*)?(ns|us|µs|ms|s|m|h))+)$/.test(String(value)),
    'must be a time such as 10s or 1m30s',
  )

export const word = z.string().min(1, 'must not be empty')

export const oneOf = (...words: string[]) =>
  z.string().refine((text) => words.includes(text), `must be one of ${words.join(', ')}`)

const isPrefix = (text: string): boolean => {
  try {
    parsePrefix(text, 'networks')
    return true
  } catch {
    return false
  }
}

/** An address inside the overlay. */
export const address = z
  .string('must be an address such as 10.42.0.5')
  .refine((text) => isPrefix(`${text}/0`), 'must be an address such as 10.42.0.5')

export const cidr = z
  .string('must be a network such as 10.42.0.0/16')
  .refine(isPrefix, 'must be a network such as 10.42.0.0/16')

/** A machine's address in the underlay: `203.0.113.7:4242`, `[2001:db8::7]:4242`, `host.example:4242`. */
export const endpoint = z.string().refine((text) => {
  const [, v6, host, digits] = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+)):(\d{1,5})$/i.exec(text) ?? []
  const isHost =
    v6 !== undefined ? isPrefix(`${v6}/0`) : host !== undefined && !(/^[\d.]+$/.test(host) && !isPrefix(`${host}/0`))
  return isHost && Number(digits) <= 65_535
}, 'must be an address or name with a port, such as 203.0.113.7:4242')

export const fingerprint = z
  .string('must be a fingerprint of 64 hex digits, in quotes where it could be a number')
  .regex(/^[0-9a-f]{64}$/, 'must be a fingerprint of 64 hex digits in lower case')

/** `any`, `fragment`, a port or a range of ports. */
export const ports = z.union([z.number(), z.string()]).refine((value) => {
  if (value === 'any' || value === 'fragment') return true
  const [, low, high = low] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value)) ?? []
  return low !== undefined && Number(low) <= Number(high) && Number(high) <= 65_535
}, 'must be any, fragment, a port (0 to 65535) or a range such as 200-300')

/** A value that only Nebula checks. */
export const anything = z.unknown()

/** A section with known keys; each may be present and empty. */
export const section = (shape: Readonly<Record<string, z.ZodType>>) =>
  z.strictObject(
    Object.fromEntries(Object.entries(shape).map(([key, value]) => [key, value.nullish()])),
    'must be a section with settings of its own',
  )
