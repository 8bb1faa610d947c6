import {
  parseCaCertificates,
  parseCertificates,
  type CaCertificate,
  type NodeCertificate,
} from '../../pki/certificate.ts'
import type { Effective } from '../action.ts'
import { settingAt, type Settings } from '../merge.ts'

/** A packet that one machine sends to another, or to an address behind it. */
export interface Packet {
  readonly protocol: 'tcp' | 'udp' | 'icmp'
  /** The destination's port; null for ICMP, which has none. */
  readonly port: number | null
  /** An overlay address of the receiver, or an address behind it. */
  readonly destination: string
}

/** A machine with everything that its Nebula decides by. */
export interface Machine {
  readonly name: string
  /** The release of its Nebula, such as `1.9.3`. */
  readonly version: string
  readonly config: Settings
  readonly cas: readonly CaCertificate[]
  /** Its certificate, in one format or in both; never empty. */
  readonly certificates: readonly NodeCertificate[]
}

/**
 * Reads the files of a machine.
 * @throws PkiError when a file does not hold the certificates that it is for
 */
export function machineOf(name: string, version: string, { config, ca, certificate }: Effective): Machine {
  const certificates = parseCertificates(certificate).filter((one) => !one.isCa)
  return { name, version, config, cas: parseCaCertificates(ca), certificates }
}

/** The machine's overlay addresses, without their networks' prefix lengths. */
export const addressesOf = ({ certificates }: Machine): string[] => [
  ...new Set(certificates.flatMap(({ networks }) => networks.map((network) => network.replace(/\/.*$/, '')))),
]

/** The networks behind the machine that its certificate names. */
export const networksBehind = ({ certificates }: Machine): string[] => [
  ...new Set(certificates.flatMap(({ unsafeNetworks }) => unsafeNetworks)),
]

/** A list of texts in a configuration; Nebula also reads a single text as a list of one. */
export function textsAt(config: Settings, path: readonly string[]): string[] {
  const value = settingAt(config, path)
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values.filter((one) => ['string', 'number', 'boolean'].includes(typeof one)).map(String)
}

/** A reason why a packet does not arrive. */
export interface Obstacle {
  readonly code: ObstacleCode
  /** The machine whose configuration or certificate is the reason. */
  readonly at: 'sender' | 'receiver'
  readonly message: string
}

export type ObstacleCode =
  | 'NOT_PUBLISHED'
  | 'CERTIFICATE_NOT_VALID'
  | 'CA_NOT_TRUSTED'
  | 'BLOCKED'
  | 'NO_COMMON_CERTIFICATE_VERSION'
  | 'NO_ROUTE'
  | 'NOT_BEHIND'
  | 'NOT_FOUND'
  | 'NO_OUTBOUND_RULE'
  | 'NO_INBOUND_RULE'
