import {
  contains,
  isFullAddress,
  isNetworkText,
  parseNetwork,
  withoutHostBits,
  type Network,
} from '../../base/networks.ts'

/** What a searched text may be. It is always also a part of a name. */
export interface Question {
  readonly text: string
  /** A row's id. */
  readonly id: string | null
  /** An IPv4 address, also of a text with a mask. */
  readonly address: string | null
  /** The beginning of a fingerprint: hex digits in lower case. */
  readonly fingerprint: string | null
  /** What to say when nothing is found. */
  readonly hint: string
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const macAddress = /^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/
/** Fewer digits are the beginning of too many fingerprints, and words too. */
const fewestDigits = 6
const mostDigits = 64

/** Reads a text that somebody searches for; it may have other cases, colons and spaces than what is stored. */
export function questionOf(input: string): Question {
  const text = input.trim()
  const lower = text.toLowerCase()
  const address = addressOf(text)
  const digits = lower.replace(/^sha256:/, '').replace(/[:\s-]/g, '')
  const isHex = /^[0-9a-f]+$/.test(digits) && digits.length >= fewestDigits && digits.length <= mostDigits
  return {
    text,
    id: uuid.test(lower) ? lower : null,
    address: address !== null && !address.includes(':') ? address : null,
    fingerprint: isHex && !uuid.test(lower) ? digits : null,
    hint: hintOf(text, address, isHex ? digits : null),
  }
}

/** The address of a text, with or without a mask. */
function addressOf(text: string): string | null {
  const [address = ''] = text.split('/')
  return isFullAddress(text) || isNetworkText(text) ? address : null
}

function hintOf(text: string, address: string | null, digits: string | null): string {
  const lower = text.toLowerCase()
  if (text === '') return 'Type a part of a name or description, an address, a fingerprint or an id.'
  if (macAddress.test(lower)) {
    return 'This looks like a MAC address. Nebula’s nodes have none: search for the overlay address or the name.'
  }
  if (address?.includes(':'))
    return 'Overlay addresses and routes are IPv4: no node has an IPv6 address in the overlay.'
  if (address !== null) return 'No node has this overlay address, and no network or route contains it.'
  if (uuid.test(lower)) return 'Nothing that you can see has this id.'
  if (/^[\d.]+(\/\d*)?$/.test(text) && text.includes('.')) {
    return 'This is not a whole address: an IPv4 address has four numbers from 0 to 255, such as 10.42.0.7.'
  }
  if (digits !== null && digits.length === mostDigits) {
    return 'No node’s present certificate has this fingerprint. Certificates that were replaced or revoked are not searched.'
  }
  return 'Nothing that you can see has this in its name or description.'
}

/** The first of some networks in CIDR notation that contains an address. */
export const networkWith = (networks: readonly string[], address: string): string | undefined =>
  networks.find((text) => {
    const network: Network | null = parseNetwork(withoutHostBits(text))
    return network !== null && contains(network, address)
  })
