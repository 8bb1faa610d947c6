import ipaddr from 'ipaddr.js'

import { WeightedCache } from './weighted-cache.ts'

type Address = ipaddr.IPv4 | ipaddr.IPv6
type Range = [Address, number]

interface Known {
  /** The key under which requests are counted together. */
  readonly key: string
  readonly isProxy: boolean
}

/** Addresses whose form is already known: agents return again and again. */
const kept = 10_000

/**
 * Finds the address that a request comes from. A trusted proxy appends its client's address to `X-Forwarded-For`; the
 * client may have written everything before the first address that is not a trusted proxy.
 */
export class ClientAddresses {
  readonly #proxies: readonly Range[]
  readonly #known = new WeightedCache<Known>(kept)

  /** @param proxies addresses and CIDRs (isAddressOrRange) */
  constructor(proxies: readonly string[]) {
    this.#proxies = proxies.map(rangeOf)
  }

  /**
   * @param peer the other end of the connection; absent once the connection is gone
   * @param forwardedFor the header; without trusted proxies it is ignored
   * @returns the address, or for IPv6 its /64, which is what one customer gets (RFC 6177); null where it is unknown
   */
  of(peer: string | undefined, forwardedFor: string | undefined): string | null {
    let client = peer === undefined ? null : this.#read(peer)
    const claimed = client?.isProxy === true ? (forwardedFor?.split(',') ?? []) : []
    for (let at = claimed.length - 1; at >= 0 && client?.isProxy === true; at -= 1) {
      const next = this.#read(withoutPort(claimed[at]?.trim() ?? ''))
      if (!next) break
      client = next
    }
    return client?.key ?? null
  }

  #read(text: string): Known | null {
    const known = this.#known.get(text)
    if (known) return known
    if (!ipaddr.isValid(text)) return null
    const address = ipaddr.process(text)
    const isProxy = this.#proxies.some((range) => isWithin(address, range))
    const read = { key: keyOf(address), isProxy }
    this.#known.set(text, read, 1)
    return read
  }
}

/** Whether a text is an address, or a range of them such as `10.0.0.0/8`. */
export const isAddressOrRange = (text: string): boolean =>
  ipaddr.IPv4.isValidFourPartDecimal(text) ||
  ipaddr.IPv4.isValidCIDRFourPartDecimal(text) ||
  ipaddr.IPv6.isValid(text) ||
  ipaddr.IPv6.isValidCIDR(text)

function rangeOf(text: string): Range {
  if (text.includes('/')) return ipaddr.parseCIDR(text)
  const address = ipaddr.process(text)
  return [address, address.kind() === 'ipv4' ? 32 : 128]
}

const isWithin = (address: Address, [network, bits]: Range): boolean =>
  address.kind() === network.kind() && address.match(network, bits)

function keyOf(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString()
  const network = address.parts.slice(0, 4).map((part) => part.toString(16))
  return `${network.join(':')}::/64`
}

/** Some proxies write the port as well: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
const withoutPort = (text: string): string =>
  /^\[(.+)\](?::\d+)?$|^([\d.]+):\d+$/.exec(text)?.slice(1).find(Boolean) ?? text
