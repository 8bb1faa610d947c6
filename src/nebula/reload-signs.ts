/** What Nebula says first of a reload, and at once. */
export const RELOAD_BEGINS = /^Caught HUP/

/**
 * What Nebula 1.6.1, 1.9.3 and 1.11.0 say last of a reload, after the lines of all that RELOADED (action.ts) names: when it
 * is said, all of it was read (test/mesh/reload.test.ts). It is said only when something below `firewall` is another text
 * than before, which `markedTimeout` sees to.
 */
export const RELOAD_ENDS = /^New firewall has been installed$/

/** A line that shows that a setting was read again. */
export interface Sign {
  /** The setting, for people. */
  readonly of: string
  readonly line: RegExp
}

/** What Nebula uses where nothing is said (its examples/config.yml). */
const DEFAULT_TIMEOUT = '10m'

/**
 * The text of `firewall.conntrack.default_timeout` for one generation of files: the same time, to Go's reader of times,
 * as a text that no other generation has. Parts of a nanosecond are read and count for nothing.
 * @param timeout as the configuration has it
 */
export function markedTimeout(timeout: unknown, generation: { version: number; number: number }): string {
  // Another kind of value was refused before (settings.ts).
  const text = typeof timeout === 'string' || typeof timeout === 'number' ? `${timeout}` : DEFAULT_TIMEOUT
  // Zero is the one time that Go reads without a unit.
  return `${text === '0' ? '0s' : text}0.${generation.version}ns0.${generation.number}ns`
}
