/** Characters that a bundle's message has at most; beyond it the further changes are counted. */
const mostCharacters = 4000

/** `… and 12 more` at the end of a list that became too long. */
const rest = /\n… and (\d+) more$/

/** `clusters.pending_changes`, one change a line, with one more. */
export function withPending(pending: string | null, change: string): string {
  const line = change.replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').slice(0, 400)
  if (pending === null || pending === '') return line
  const more = rest.exec(pending)?.[1]
  if (more !== undefined) return pending.replace(rest, `\n… and ${Number(more) + 1} more`)
  return pending.length + line.length < mostCharacters ? `${pending}\n${line}` : `${pending}\n… and 1 more`
}

/** What is left of the changes once a bundle has told of those that were there when it was compiled. */
export function withoutPublished(pending: string | null, published: string | null): string | null {
  if (pending === null || pending === published) return null
  if (published === null) return pending
  if (pending.startsWith(`${published}\n`)) return pending.slice(published.length + 1)
  // Both lists were cut; what differs is how many more there were.
  const more = Number(rest.exec(pending)?.[1] ?? 0) - Number(rest.exec(published)?.[1] ?? 0)
  return more > 0 ? `${more} further changes` : null
}
