import { configFile } from '../../../nebula/bundle/manifest.ts'
import { isSettings, type Settings } from '../../../nebula/merge.ts'
import { minimumNebulaFor } from '../../../nebula/version-hazards.ts'
import { withoutHostBits } from '../../../base/networks.ts'
import { firewallRule, type Firewall, type FirewallRule } from '../../clusters/firewall.ts'
import { refuseFile } from '../inspect/refusal.ts'
import { checkYamlInThread } from './yaml-thread.ts'

/** Nebula's name for each key of a rule, and Orrery's. */
const fieldNames: Readonly<Record<string, string>> = {
  port: 'port',
  proto: 'proto',
  host: 'host',
  group: 'group',
  groups: 'groups',
  cidr: 'cidr',
  local_cidr: 'localCidr',
  ca_name: 'caName',
  ca_sha: 'caSha',
}

/** The content of the section `firewall` of a `config.yml`. */
export interface FirewallSection {
  /** The cluster's new rules; null when it has neither inbound nor outbound ones. */
  readonly rules: Firewall | null
  /** The oldest Nebula that lets in no more than the section allows. */
  readonly minimumNebulaVersion: string
}

/**
 * The firewall of a `config.yml`; no rules when it has neither inbound nor outbound rules. A missing side lets nothing
 * through, as in Nebula.
 * @param owner the id of the tenant whose share of the threads it uses
 * @throws ValidationError with the line or the rule
 */
export async function firewallOf(owner: string, config: string): Promise<FirewallSection> {
  const report = await checkYamlInThread(owner, { files: [new Uint8Array(Buffer.from(config))], config: 0 })
  if (report === null) throw refuseFile(configFile, 'takes too long to be read as YAML')
  if (report.broken !== null) throw refuseFile(configFile, `line ${report.broken.line} ${report.broken.reason}`)
  return readFirewall(report.firewall)
}

/**
 * Converts the section `firewall` of a configuration into the cluster's rules.
 * @throws ValidationError with the rule that Orrery cannot store
 */
export const readFirewall = (section: unknown): FirewallSection => ({
  rules: readRules(section),
  minimumNebulaVersion: minimumNebulaFor(isSettings(section) ? { firewall: section } : {}),
})

function readRules(section: unknown): Firewall | null {
  if (!isSettings(section)) return null
  const [inbound, outbound] = [section['inbound'] ?? null, section['outbound'] ?? null]
  if (inbound === null && outbound === null) return null
  const result = firewallRule.safeParse({
    inbound: readSide('inbound', inbound),
    outbound: readSide('outbound', outbound),
  })
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw refuse(issue?.path ?? [], issue?.message ?? 'is not valid')
}

/** A rule of a published configuration, in Orrery's spelling; also one that would be refused today. */
export const publishedRule = (rule: Settings): FirewallRule =>
  Object.fromEntries(
    Object.entries(rule).flatMap(([key, value]) => {
      const name = fieldNames[key]
      return name === undefined || value === null ? [] : [[name, readValue(key, value)]]
    }),
    // Its keys are those of a rule, and `nebula -test` or Orrery's own rules have checked the values.
  ) as unknown as FirewallRule

const refuse = (path: readonly PropertyKey[], message: string) =>
  refuseFile(configFile, `${['firewall', ...path].map(String).join('.')}: ${message}`)

const readSide = (side: string, rules: unknown): unknown =>
  Array.isArray(rules) ? rules.map((rule: unknown, index) => readRule([side, String(index)], rule)) : (rules ?? [])

function readRule(path: readonly string[], rule: unknown): unknown {
  if (!isSettings(rule)) throw refuse(path, 'must be a rule with port, proto and whom it is for')
  const entries = Object.entries(rule).flatMap(([key, value]) => {
    const name = fieldNames[key]
    if (name === undefined) throw refuse([...path, key], 'is not a part of a rule that Orrery keeps')
    return value === null ? [] : [[name, readValue(key, value)]]
  })
  return Object.fromEntries(entries) as Settings
}

/** Converts a value into Orrery's spelling. */
function readValue(key: string, value: unknown): unknown {
  if (key === 'port') return String(value) === '0' ? 'any' : String(value)
  if (key === 'groups' && typeof value === 'string') return [value]
  if (key.endsWith('cidr') && typeof value === 'string') return withoutHostBits(value)
  return value
}
