import { printableLine } from '../base/texts/printable.ts'
import { bounds } from './server/bounds.ts'

/** A problem that the person who runs the agent can fix; the message says how. */
export class AgentError extends Error {
  override readonly name = 'AgentError'
}

/** The control plane refused a request for good; the message is the control plane's. */
export class RefusedError extends AgentError {}

/** The control plane does not accept the node's token any more: it was rotated, or the node was deleted. */
export class UnauthenticatedError extends Error {
  override readonly name = 'UnauthenticatedError'
}

/** The control plane cannot be reached or cannot answer now. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError'
  /** Seconds after which the control plane wants to be asked again; null when it did not say. */
  readonly retryAfter: number | null

  constructor(message: string, retryAfter: number | null, options?: ErrorOptions) {
    super(message, options)
    this.retryAfter = retryAfter
  }
}

/** A version that the agent does not run, with the reason. */
export class VersionRefused extends Error {
  override readonly name: string = 'VersionRefused'
}

/** A version that another Nebula could run: the machine's own would let more in, or cannot read it. */
export class OtherNebulaNeeded extends VersionRefused {
  override readonly name = 'OtherNebulaNeeded'
}

/** Nebula was told to reload its files, and did not show that it runs on them: only a restart makes sure of that. */
export class ReloadNotShown extends Error {
  override readonly name = 'ReloadNotShown'
}

/** An error's message with its causes: one line, without characters that control a terminal. */
export function sayError(error: unknown): string {
  if (!isError(error)) return printableLine(String(error), bounds.report)
  const cause = isError(error.cause) ? `: ${error.cause.message}` : ''
  return printableLine(`${error.message}${cause}`, bounds.report)
}

const isError = (value: unknown): value is Error =>
  typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
