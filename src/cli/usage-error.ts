/** A problem that the person who started the command can fix; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
