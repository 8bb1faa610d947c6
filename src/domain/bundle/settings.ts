import { isAlias, isMap, isScalar, type Document, type ParsedNode } from 'yaml'

import { AGENT_SETTINGS } from '../../nebula/settings.ts'

/** The first agent-owned setting that a document sets, with the offset of its key; null when there is none. */
export function findAgentSetting(document: Document.Parsed): { offset: number; reason: string } | null {
  for (const { path, allowed, reason } of AGENT_SETTINGS) {
    const found = lookUp(document, path)
    if (found === null) continue
    const value = resolve(document, found.value)
    // `sshd:` with nothing behind it sets nothing, in Nebula's merge of its files too.
    if (value === null || (isScalar(value) && value.value === null)) continue
    if (isScalar(value) && allowed?.includes(String(value.value)) === true) continue
    const only = allowed === undefined ? '' : ` to something other than ${allowed.join(', ')}`
    return { offset: found.offset, reason: `sets ${path.join('.')}${only}, which the agent decides: ${reason}` }
  }
  return null
}

/** Goes down the keys, as Nebula's `config.C.Get` does; a key that itself has dots is not a way down. */
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

function resolve(document: Document.Parsed, node: ParsedNode | null): ParsedNode | null {
  return isAlias(node) ? ((node.resolve(document) as ParsedNode | undefined) ?? null) : node
}
