/** A JSON value; undefined is left out. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/**
 * Writes JSON in exactly one way: keys sorted by their UTF-16 code units, no spaces (the part of RFC 8785 that matters
 * for texts and whole numbers). Everything that is hashed or signed is written with this.
 */
export function canonicalJson(value: Json): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value)
  if (isList(value)) return `[${value.map(canonicalJson).join(',')}]`
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`).join(',')}}`
}

const isList = (value: readonly Json[] | object): value is readonly Json[] => Array.isArray(value)
