/** Something that the person who started the command can mend; the message says how. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
