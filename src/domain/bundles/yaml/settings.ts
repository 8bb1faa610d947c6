import { isAlias, isMap, isScalar, isSeq, type Document, type ParsedNode } from 'yaml'

import { isSettings } from '../../../nebula/merge.ts'
import { agentSettings, checkSettings } from '../../../nebula/settings.ts'
import { overlaySettings, type OverlaySettings } from './overlay-settings.ts'

/** The first agent-owned setting that a document sets, with the offset of its key; null when there is none. */
export function findAgentSetting(document: Document.Parsed): { offset: number; reason: string } | null {
  for (const { path, allowed, reason } of agentSettings) {
    const found = lookUp(document, path)
    if (found === null) continue
    const value = resolve(document, found.value)
    // `sshd:` without a value sets nothing, also when Nebula merges its files.
    if (value === null || (isScalar(value) && value.value === null)) continue
    if (isScalar(value) && allowed?.includes(String(value.value)) === true) continue
    const only = allowed === undefined ? '' : ` to something other than ${allowed.join(', ')}`
    return { offset: found.offset, reason: `sets ${path.join('.')}${only}, which the agent decides: ${reason}` }
  }
  return null
}

/** Follows the keys like Nebula's `config.C.Get`, which does not follow a key that itself contains dots. */
function lookUp(
  document: Document.Parsed,
  path: readonly string[],
): { offset: number; value: ParsedNode | null } | null {
  let node: ParsedNode | null = document.contents
  let offset = 0
  for (const name of path) {
    const map = resolve(document, node)
    if (!isMap<ParsedNode, ParsedNode | null>(map)) return null
    const pair = map.items.find(({ key }) => isScalar(key) && key.value === name)
    if (pair === undefined) return null
    offset = pair.key.range[0]
    node = pair.value
  }
  return { offset, value: node }
}

/**
 * The first setting of a configuration that Nebula does not know or cannot use, with its offset. If there is none, the
 * section `firewall` and the settings that depend on the cluster's network.
 */
export function findSettingProblem(document: Document.Parsed): {
  problem: { offset: number; reason: string } | null
  firewall: unknown
  overlay: OverlaySettings | null
} {
  // The expansion of aliases was limited before.
  const config: unknown = document.toJS({ maxAliasCount: -1 })
  if (!isSettings(config)) return { problem: null, firewall: null, overlay: null }
  const [first] = checkSettings(config)
    .map(({ path, message }) => ({ offset: offsetOf(document, path), path, message }))
    .sort((a, b) => a.offset - b.offset)
  if (first === undefined) {
    return { problem: null, firewall: config['firewall'] ?? null, overlay: overlaySettings(config) }
  }
  const reason = `sets ${first.path.join('.')}, which ${first.message}`
  return { problem: { offset: first.offset, reason }, firewall: null, overlay: null }
}

/** The offset of a value, or of the closest parent that can be found. */
function offsetOf(document: Document.Parsed, path: readonly string[]): number {
  let node: ParsedNode | null = document.contents
  let offset = 0
  for (const name of path) {
    const place = resolve(document, node)
    if (isMap<ParsedNode, ParsedNode | null>(place)) {
      const pair = place.items.find(({ key }) => isScalar(key) && String(key.value) === name)
      if (pair === undefined) return offset
      offset = pair.key.range[0]
      node = pair.value
    } else if (isSeq<ParsedNode>(place)) {
      node = place.items[Number(name)] ?? null
      offset = node?.range[0] ?? offset
    } else return offset
  }
  return offset
}

function resolve(document: Document.Parsed, node: ParsedNode | null): ParsedNode | null {
  return isAlias(node) ? ((node.resolve(document) as ParsedNode | undefined) ?? null) : node
}
