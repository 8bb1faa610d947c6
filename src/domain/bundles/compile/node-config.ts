import type { CompileNode, RenderInput } from './compile-input.ts'
import { routesBeside, writeRoutes } from './routes.ts'
import type { SharedConfig } from './shared-config.ts'

/**
 * The settings that differ per node, as YAML. Written by hand, since the YAML library takes seconds for ten thousand
 * nodes. JSON strings and lists are valid YAML.
 */
export function nodeConfig(node: CompileNode, shared: SharedConfig, input: RenderInput): string {
  const others = (addresses: readonly string[]): string =>
    JSON.stringify(addresses.filter((address) => address !== node.overlayIp))
  const lines = [
    `# ${printable(node.name)}`,
    'lighthouse:',
    `  am_lighthouse: ${node.isLighthouse}`,
    `  hosts: ${node.isLighthouse ? '[]' : others(shared.lighthouses)}`,
    'listen:',
    `  port: ${node.isLighthouse ? (node.lighthousePort ?? input.lighthousePort) : shared.port}`,
    'relay:',
    `  am_relay: ${node.isRelay}`,
    `  relays: ${others(shared.relays)}`,
    'tun:',
    `  mtu: ${node.mtu}`,
  ]
  if (node.routes.length > 0) {
    const beside = writeRoutes(routesBeside(shared.routes, node), input.certificateVersion)
    lines.push(`  unsafe_routes: ${JSON.stringify(beside)}`)
  }
  return `${lines.join('\n')}\n`
}

/** A name that cannot end its comment and has no character that YAML readers interpret differently. */
const printable = (name: string): string => name.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
