/** The first line that Nebula logs of a reload, at once. */
export const reloadBegins = /^Caught HUP/

/**
 * The last line that Nebula 1.6.1, 1.9.3 and 1.11.0 log of a reload, after the lines of all settings in RELOADED
 * (action.ts): by then, all of it was read (test/mesh/reload.test.ts). It is logged only when the text of something
 * below `firewall` has changed, which `markedTimeout` ensures.
 */
export const reloadEnds = /^New firewall has been installed$/

/** A log line that shows that a setting was read again. */
export interface Sign {
  /** The setting, for people. */
  readonly of: string
  readonly line: RegExp
}

/** Nebula's default (its examples/config.yml). */
const defaultTimeout = '10m'

/**
 * The text of `firewall.conntrack.default_timeout` for one generation of files: the same duration to Go's parser, but a
 * text that no other generation has. Fractions of a nanosecond are parsed and ignored.
 * @param timeout as the configuration has it
 */
export function markedTimeout(timeout: unknown, generation: { version: number; number: number }): string {
  // Values of other types were refused before (settings.ts).
  const text = typeof timeout === 'string' || typeof timeout === 'number' ? `${timeout}` : defaultTimeout
  // Zero is the only duration that Go parses without a unit.
  return `${text === '0' ? '0s' : text}0.${generation.version}ns0.${generation.number}ns`
}
