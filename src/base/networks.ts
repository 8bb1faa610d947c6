import ipaddr from 'ipaddr.js'

/**
 * IPv4 and IPv6 networks and addresses, parsed by ipaddr.js. A network is written in CIDR notation (RFC 4632) without
 * host bits; equal networks have the same canonical text.
 */
export type Network = readonly [address: ipaddr.IPv4 | ipaddr.IPv6, prefix: number]

/** Reads a CIDR; null when it is invalid, when its address is not written in full, or when host bits are set. */
export function parseNetwork(text: string): Network | null {
  if (!isNetworkText(text)) return null
  const network: Network = ipaddr.parseCIDR(text)
  return sameBytes(network[0].toByteArray(), maskedBytes(network)) ? network : null
}

/** Whether a text has the form of a CIDR, host bits or not. */
export const isNetworkText = (text: string): boolean => {
  const [address = '', prefix = '', ...rest] = text.split('/')
  if (rest.length > 0 || !/^\d{1,3}$/.test(prefix) || !isFullAddress(address)) return false
  return Number(prefix) <= (address.includes(':') ? 128 : 32)
}

/** The C library accepts `10.1` and octal numbers as addresses; people misread them. */
export const isFullAddress = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) || (text.includes(':') && ipaddr.IPv6.isValid(text))

/** The network of an address: a CIDR without its host bits. Any other text is returned unchanged. */
export function withoutHostBits(text: string): string {
  if (!isNetworkText(text) || parseNetwork(text) !== null) return text
  const [address, prefix] = ipaddr.parseCIDR(text)
  return formatNetwork([ipaddr.fromByteArray(maskedBytes([address, prefix])), prefix])
}

export const formatNetwork = ([address, prefix]: Network): string => `${address.toString()}/${prefix}`

/** Whether two networks share an address: one contains the other, or they are equal. */
export function overlaps(a: Network, b: Network): boolean {
  if (a[0].kind() !== b[0].kind()) return false
  const shorter = Math.min(a[1], b[1])
  return sameBytes(maskedBytes([a[0], shorter]), maskedBytes([b[0], shorter]))
}

/** Whether an address lies in a network; false for one of the other version of IP. */
export function contains(network: Network, address: string): boolean {
  if (!isFullAddress(address)) return false
  const parsed = ipaddr.parse(address)
  const bits = 8 * parsed.toByteArray().length
  return network[1] <= bits && overlaps(network, [parsed, bits])
}

function maskedBytes([address, prefix]: Network): number[] {
  return address.toByteArray().map((byte, index) => {
    const bits = Math.min(8, Math.max(0, prefix - index * 8))
    return byte & (0xff << (8 - bits)) & 0xff
  })
}

const sameBytes = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index])

/** First and last address for nodes in an IPv4 network (without the network's own and its broadcast address). */
export function hostRange(cidr: string): { first: number; last: number } {
  const network = parseNetwork(cidr)
  if (!network) throw new Error(`a stored network is not one: ${cidr}`)
  const base = toNumber(network[0].toString())
  return { first: base + 1, last: base + 2 ** (32 - network[1]) - 2 }
}

/** An IPv4 address as a number (RFC 791). */
export const toNumber = (address: string): number =>
  ipaddr.IPv4.parse(address)
    .toByteArray()
    .reduce((sum, byte) => sum * 256 + byte, 0)

export const fromNumber = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** The addresses of an IPv4 network, as numbers. */
export interface Interval {
  readonly first: number
  readonly last: number
}

/**
 * The first and last address of an IPv4 network or address of a row, which compare quickly; null for IPv6, which never
 * overlaps with an overlay.
 */
export function intervalOf(text: string): Interval | null {
  if (text.includes(':')) return null
  const [address = '', prefix = '32'] = text.split('/')
  const first = toNumber(address)
  return { first, last: first + 2 ** (32 - Number(prefix)) - 1 }
}

/** Whether two networks share an address. */
export const meet = (one: Interval | null, other: Interval | null): boolean =>
  one !== null && other !== null && one.first <= other.last && other.first <= one.last

/** Whether every address of a network lies in another. */
export const isWithin = (one: Interval | null, outer: Interval | null): boolean =>
  one !== null && outer !== null && outer.first <= one.first && one.last <= outer.last
