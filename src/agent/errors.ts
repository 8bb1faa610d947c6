import { printableLine } from '../base/printable.ts'
import { bounds } from './server/bounds.ts'

/** Something that whoever runs the agent can mend; the message says how. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
}

/** The control plane refused a request for good: its own words. */
export class RefusedError extends AgentError {}

/** The control plane does not take the node's token any more: it was rotated, or the node deleted. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError'
}

/** The control plane cannot be reached or cannot answer now. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  /** Seconds after which it wants to be asked again; null when it did not say. */
  readonly retryAfter: number | null

  constructor(message: string, retryAfter: number | null, options?: ErrorOptions) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}

/** A version that the agent does not run: what it was and what is wrong with it. */
export class VersionRefused extends Error {
  override readonly name: string = 'VersionRefused'
}

/** One that another Nebula could run: the machine's own is of a version that would let more in, or cannot read it. */
export class OtherNebulaNeeded extends VersionRefused {
  override readonly name = 'OtherNebulaNeeded'
}

/** Nebula was told to read its files again, and did not show that it runs on them: only a restart makes that sure. */
export class ReloadNotShown extends Error {
  override readonly name = 'ReloadNotShown'
}

/** What an error says, with what caused it: one line, without what a terminal would obey. */
export function sayError(error: unknown): string {
  if (!isError(error)) return printableLine(String(error), bounds.report)
  const cause = isError(error.cause) ? `: ${error.cause.message}` : ''
  return printableLine(`${error.message}${cause}`, bounds.report)
}

const isError = (value: unknown): value is Error =>
  typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
