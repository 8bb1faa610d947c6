/** A Nebula configuration, or a section of one, as it is read from YAML. */
export type Settings = Readonly<Record<string, unknown>>

/** Whether a value is a section. */
export const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Merges one configuration over another: sections are merged, everything else is replaced, including lists. Nebula
 * itself merges files differently (it appends lists, and ignores false, 0 and empty lists), so it gets a single file.
 */
export function deepMerge(base: Settings, over: Settings): Settings {
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key)
    merged.set(key, isSettings(below) && isSettings(value) ? deepMerge(below, value) : value)
  }
  return Object.fromEntries(merged)
}

/** The value at a path of keys; undefined where there is none. */
export function settingAt(config: Settings, path: readonly string[]): unknown {
  let value: unknown = config
  for (const key of path) {
    if (!isSettings(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
