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
