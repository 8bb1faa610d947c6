import { parse } from 'yaml'

/**
 * Reads a configuration of Nebula's that was checked before: by the server when it was uploaded, or because it is the
 * server's own. The library would compare every two keys of a mapping, which is half a minute for twenty thousand
 * hosts; the check has seen to it that none is there twice.
 * @param maxAliasCount how many values aliases may stand for; -1 for any number, where the check has bounded them
 * @throws YAMLParseError when it is no YAML
 */
export const parseSettings = (text: string, maxAliasCount = -1): unknown =>
  parse(text, { maxAliasCount, uniqueKeys: false })
