import { settingAt, type Settings } from './merge.ts'

/** A setting of Nebula that a bundle may not have, because the agent of each machine decides it. */
interface AgentSetting {
  /** Its keys from the top; a section stands for everything in it. */
  readonly path: readonly string[]
  /** Values that are allowed all the same. */
  readonly allowed?: readonly string[]
  readonly reason: string
}

/**
 * The settings that belong to the agent (Nebula's examples/config.yml; `ctl` and `control` from its source, for future
 * releases). Each would let a bundle take over a machine, read from it, or blind the agent.
 *
 * Deliberately not here: settings that shape the network (`listen`, `tun`, `lighthouse` with its DNS, `firewall`,
 * `relay`, `pki.blocklist`, `pki.disconnect_invalid`, `pki.initiating_version`). A wrong value there is a wrong
 * configuration, which the agent tries, watches and rolls back; it gives no access to the machine.
 */
export const agentSettings: readonly AgentSetting[] = [
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

/** The settings of a bundle that belong to the agent, each with the reason; empty for a bundle that may be used. */
export const findAgentSettings = (config: Settings): SettingProblem[] =>
  agentSettings.flatMap(({ path, allowed, reason }) => {
    const value = settingAt(config, path)
    const isFine =
      value === undefined || value === null || (typeof value === 'string' && allowed?.includes(value) === true)
    return isFine ? [] : [{ path, message: `is the agent's to decide: ${reason}` }]
  })

/** A setting that breaks a rule. */
export interface SettingProblem {
  /** The keys from the top, positions in lists as numbers. */
  readonly path: readonly string[]
  readonly message: string
}
