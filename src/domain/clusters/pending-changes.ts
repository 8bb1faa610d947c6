/** The maximum number of characters in a bundle's message; further changes are only counted. */
const mostCharacters = 4000

/** `… and 12 more` at the end of a list that was cut. */
const rest = /\n… and (\d+) more$/

/** `clusters.pending_changes`, one change per line, with one more. */
export function withPending(pending: string | null, change: string): string {
  const line = change.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 400)
  if (pending === null || pending === '') return line
  const more = rest.exec(pending)?.[1]
  if (more !== undefined) return pending.replace(rest, `\n… and ${Number(more) + 1} more`)
  return pending.length + line.length < mostCharacters ? `${pending}\n${line}` : `${pending}\n… and 1 more`
}

/** The changes that remain after the bundle with the published ones. */
export function withoutPublished(pending: string | null, published: string | null): string | null {
  if (pending === null || pending === published) return null
  if (published === null) return pending
  if (pending.startsWith(`${published}\n`)) return pending.slice(published.length + 1)
  // Both lists were cut; the counts of further changes differ.
  const more = Number(rest.exec(pending)?.[1] ?? 0) - Number(rest.exec(published)?.[1] ?? 0)
  return more > 0 ? `${more} further changes` : null
}
