import ipaddr from 'ipaddr.js'

import { PkiError, type PkiSubject } from '../errors.ts'

/**
 * An address with the length of its network's prefix, as certificates carry it: `10.42.0.5/16` is the node 10.42.0.5 in
 * the network 10.42.0.0/16. The interfaces of this directory use text; this is the form that the formats encode.
 */
export interface Prefix {
  /** 4 bytes for IPv4, 16 for IPv6. */
  readonly address: Uint8Array
  /** Bits of the network, 0 to 32 or 0 to 128. */
  readonly length: number
}

const form = /^([0-9a-f.:]+)\/(0|[1-9]\d{0,2})$/i

/**
 * Reads `address/length`. Addresses must be written in full, and an IPv4-mapped IPv6 address is refused, as Nebula
 * does.
 * @throws PkiError
 */
export function parsePrefix(text: string, subject: PkiSubject): Prefix {
  const [, host = '', digits] = form.exec(text) ?? []
  const length = Number(digits)
  const isFull = host.includes(':') ? ipaddr.IPv6.isValid(host) : ipaddr.IPv4.isValidFourPartDecimal(host)
  if (!isFull) throw new PkiError(subject, `"${text}" is not an address with a prefix length such as 10.42.0.5/16`)
  const address = ipaddr.parse(host)
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress()) {
    throw new PkiError(subject, `"${text}" is an IPv4 address written as IPv6`)
  }
  const bytes = Uint8Array.from(address.toByteArray())
  if (length > bytes.length * 8) throw new PkiError(subject, `"${text}" has a prefix longer than its address`)
  return { address: bytes, length }
}

/** Writes a prefix canonically (IPv6 as in RFC 5952). */
export function formatPrefix({ address, length }: Prefix): string {
  const text = address.length === 4 ? address.join('.') : ipaddr.fromByteArray([...address]).toString()
  return `${text}/${length}`
}

/** The order of networks in Nebula's version 2 certificates: IPv4 first, by address, the wider first. */
export const comparePrefixes = (a: Prefix, b: Prefix): number =>
  a.address.length - b.address.length || Buffer.compare(a.address, b.address) || a.length - b.length

/** Whether `outer`'s network contains every address of `inner`'s; never where one is IPv4 and the other IPv6. */
export const containsPrefix = (outer: Prefix, inner: Prefix): boolean =>
  outer.length <= inner.length &&
  Buffer.compare(maskedAddress(outer), maskedAddress({ address: inner.address, length: outer.length })) === 0

/** Whether no bit of the address is set beyond the network's prefix. */
export const isMasked = (prefix: Prefix): boolean => Buffer.compare(prefix.address, maskedAddress(prefix)) === 0

export const isUnspecified = ({ address }: Prefix): boolean => address.every((byte) => byte === 0)

const maskedAddress = ({ address, length }: Prefix): Uint8Array =>
  address.map((byte, index) => byte & (0xff << (8 - Math.min(8, Math.max(0, length - index * 8)))))
