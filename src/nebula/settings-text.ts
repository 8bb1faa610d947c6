import { parse } from 'yaml'

/**
 * Reads a Nebula configuration that was checked before: by the server when it was uploaded, or because it is the
 * server's own. The library would compare every pair of keys of a mapping, which takes half a minute for twenty
 * thousand hosts; the check has already excluded duplicate keys.
 * @param maxAliasCount how many values aliases may stand for; -1 for any number, where the check has bounded them
 * @throws YAMLParseError when it is not YAML
 */
export const parseSettings = (text: string, maxAliasCount = -1): unknown =>
  parse(text, { maxAliasCount, uniqueKeys: false })
