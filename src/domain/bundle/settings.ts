import { isAlias, isMap, isScalar, type Document, type ParsedNode } from 'yaml'

/** A setting of Nebula that a bundle may not have, because the agent of each machine decides it. */
interface AgentSetting {
  /** Its keys from the top; one that is a section stands for all in it. */
  readonly path: readonly string[]
  /** Values that are fine all the same. */
  readonly allowed?: readonly string[]
  readonly reason: string
}

/**
 * The settings that belong to the agent (Nebula's examples/config.yml; `ctl` and `control` from its source, for
 * releases to come). Each would let a bundle take a machine over, read from it, or blind the agent.
 *
 * Not here, on purpose: what shapes the network (`listen`, `tun`, `lighthouse` with its DNS, `firewall`, `relay`,
 * `pki.blocklist`, `pki.disconnect_invalid`, `pki.initiating_version`). A wrong value there is a wrong configuration,
 * which the agent tries, watches and rolls back; it gives nobody the machine.
 */
export const AGENT_SETTINGS: readonly AgentSetting[] = [
  { path: ['pki', 'key'], reason: "the machine's private key is made on it, and any file could be named here" },
  { path: ['pki', 'cert'], reason: 'the agent puts the certificate in its place, and any file could be named here' },
  { path: ['pki', 'ca'], reason: 'the agent trusts the CAs of ca.crt, and any file could be named here' },
  { path: ['sshd'], reason: 'it opens a shell that reads, writes and steers, to whoever the bundle names' },
  { path: ['ctl'], reason: 'it opens a control socket at a path of the machine' },
  { path: ['control'], reason: 'it opens a control socket at a path of the machine' },
  {
    path: ['stats'],
    reason: 'it opens a port or sends measurements away, and the agent watches Nebula through its own',
  },
  { path: ['logging', 'format'], allowed: ['json'], reason: "the agent reads Nebula's log as JSON" },
  {
    path: ['logging', 'level'],
    allowed: ['info', 'debug', 'trace'],
    reason: 'the agent waits for lines of level info to know that Nebula runs',
  },
]

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
