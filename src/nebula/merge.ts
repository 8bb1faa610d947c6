/** A configuration of Nebula's, or a section of one: what YAML makes of it. */
export type Settings = Readonly<Record<string, unknown>>

/** Whether a value is a section. */
export const isSettings = (value: unknown): value is Settings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/**
 * Lays one configuration over another: sections are merged, everything else is replaced, lists too. Not how Nebula
 * itself merges files (it appends lists, and passes over false, 0 and empty lists), which is why it is given one file.
 */
export function deepMerge(base: Settings, over: Settings): Settings {
  const merged = new Map(Object.entries(base))
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key)
    merged.set(key, isSettings(below) && isSettings(value) ? deepMerge(below, value) : value)
  }
  return Object.fromEntries(merged)
}

/** The value at the end of a way of keys; undefined where it leads nowhere. */
export function settingAt(config: Settings, path: readonly string[]): unknown {
  let value: unknown = config
  for (const key of path) {
    if (!isSettings(value) || !Object.hasOwn(value, key)) return undefined
    value = value[key]
  }
  return value
}
