import { DerReader, derElement, derInteger } from './encoding/der.ts'
import {
  decodeText,
  fromSeconds,
  malformed,
  toSeconds,
  type CertificateFields,
  type CertificateFormat,
} from './format.ts'
import { formatPrefix, parsePrefix } from './encoding/prefix.ts'

/** Tags of slackhq/nebula cert/cert_v2.go: context-specific (0x80), those of lists constructed (0x20). */
const tags = {
  certificate: 0x30,
  details: 0xa0,
  curve: 0x81,
  publicKey: 0x82,
  signature: 0x83,
  name: 0x80,
  networks: 0xa1,
  unsafeNetworks: 0xa2,
  groups: 0xa3,
  isCa: 0x84,
  notBefore: 0x85,
  notAfter: 0x86,
  issuer: 0x87,
  octetString: 0x04,
  utf8String: 0x0c,
} as const

const curve25519 = Uint8Array.of(0)

/**
 * Version 2, for Nebula ≥ 1.10 (slackhq/nebula cert/cert_v2.asn1): DER, IPv4 and IPv6. The signature covers details,
 * curve and public key one after the other, the fingerprint the signature too.
 */
export const version2: CertificateFormat = {
  version: 2,
  banner: 'NEBULA CERTIFICATE V2',
  encodeDetails: (fields) =>
    derElement(
      tags.details,
      derElement(tags.name, Buffer.from(fields.name)),
      list(tags.networks, tags.octetString, fields.networks.map(toBytes)),
      list(tags.unsafeNetworks, tags.octetString, fields.unsafeNetworks.map(toBytes)),
      list(
        tags.groups,
        tags.utf8String,
        fields.groups.map((group) => Buffer.from(group)),
      ),
      ...(fields.isCa ? [derElement(tags.isCa, Uint8Array.of(0xff))] : []),
      derInteger(tags.notBefore, toSeconds(fields.notBefore)),
      derInteger(tags.notAfter, toSeconds(fields.notAfter)),
      ...(fields.issuer === null ? [] : [derElement(tags.issuer, Buffer.from(fields.issuer, 'hex'))]),
    ),
  toBeSigned: (details, publicKey) => Buffer.concat([details, curve25519, publicKey]),
  encode: (details, publicKey, signature) =>
    derElement(tags.certificate, details, derElement(tags.publicKey, publicKey), derElement(tags.signature, signature)),
  fingerprinted: (details, publicKey, signature) => Buffer.concat([details, curve25519, publicKey, signature]),
  decode: (bytes) => {
    const outer = new DerReader(bytes, malformed)
    const certificate = new DerReader(outer.read(tags.certificate, 'certificate'), malformed)
    outer.end()
    const details = certificate.read(tags.details, 'details')
    if (certificate.readOptional(tags.curve, 'curve').some((byte) => byte !== 0)) {
      throw malformed('its curve is P256; only Curve25519 is supported')
    }
    const publicKey = certificate.read(tags.publicKey, 'public key')
    const signature = certificate.read(tags.signature, 'signature')
    certificate.end()
    return { fields: decodeDetails(details, publicKey), signature }
  },
}

function decodeDetails(bytes: Uint8Array, publicKey: Uint8Array): CertificateFields {
  const details = new DerReader(bytes, malformed)
  const name = decodeText(details.read(tags.name, 'name'))
  const networks = details.readOptionalList(tags.networks, tags.octetString, 'network').map(toText)
  const unsafeNetworks = details.readOptionalList(tags.unsafeNetworks, tags.octetString, 'unsafe network').map(toText)
  const groups = details.readOptionalList(tags.groups, tags.utf8String, 'group').map(decodeText)
  const isCa = details.readOptional(tags.isCa, 'isCA').some((byte) => byte !== 0)
  const notBefore = fromSeconds(details.readInteger(tags.notBefore, 'beginning of validity'))
  const notAfter = fromSeconds(details.readInteger(tags.notAfter, 'end of validity'))
  const issuer = Buffer.from(details.readOptional(tags.issuer, 'issuer')).toString('hex')
  details.end()
  const times = { notBefore, notAfter }
  return { name, networks, unsafeNetworks, groups, ...times, isCa, issuer: issuer === '' ? null : issuer, publicKey }
}

/** An empty list is left out. */
const list = (listTag: number, tag: number, contents: readonly Uint8Array[]): Uint8Array =>
  contents.length === 0 ? new Uint8Array() : derElement(listTag, ...contents.map((content) => derElement(tag, content)))

/** A prefix as version 2 encodes it: the address, then one byte for its length. */
function toBytes(text: string): Uint8Array {
  const { address, length } = parsePrefix(text, 'networks')
  return Uint8Array.from([...address, length])
}

function toText(bytes: Uint8Array): string {
  const [address, length = 0] = [bytes.subarray(0, -1), bytes.at(-1)]
  if ((address.length !== 4 && address.length !== 16) || length > address.length * 8) {
    throw malformed('a network is neither of IPv4 nor of IPv6')
  }
  return formatPrefix({ address, length })
}
