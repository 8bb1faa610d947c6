import {
  decodeText,
  fromSeconds,
  malformed,
  toSeconds,
  type CertificateFields,
  type CertificateFormat,
} from './format.ts'
import { formatPrefix, parsePrefix } from './encoding/prefix.ts'
import { ProtobufWriter, readPacked, readProtobuf, type ProtobufField } from './encoding/protobuf.ts'

/**
 * Version 1, which every Nebula reads (slackhq/nebula cert/cert_v1.proto): Protocol Buffers, IPv4 only. The signature
 * covers the details, the fingerprint the whole certificate.
 */
export const version1: CertificateFormat = {
  version: 1,
  banner: 'NEBULA CERTIFICATE',
  encodeDetails: (fields) => {
    const details = new ProtobufWriter()
      .string(1, fields.name)
      .packed(2, fields.networks.flatMap(toNumbers))
      .packed(3, fields.unsafeNetworks.flatMap(toNumbers))
    for (const group of fields.groups) details.message(4, Buffer.from(group))
    return details
      .varint(5, toSeconds(fields.notBefore))
      .varint(6, toSeconds(fields.notAfter))
      .bytes(7, fields.publicKey)
      .varint(8, fields.isCa ? 1 : 0)
      .bytes(9, Buffer.from(fields.issuer ?? '', 'hex'))
      .finish()
  },
  toBeSigned: (details) => details,
  encode: (details, _publicKey, signature) => new ProtobufWriter().message(1, details).bytes(2, signature).finish(),
  fingerprinted: (details, publicKey, signature) => version1.encode(details, publicKey, signature),
  decode: (bytes) => {
    let details: Uint8Array = new Uint8Array()
    let signature: Uint8Array = new Uint8Array()
    for (const field of readProtobuf(bytes, malformed)) {
      if (field.number === 1) details = bytesOf(field)
      else if (field.number === 2) signature = bytesOf(field)
      else throw malformed(`unknown field ${field.number}`)
    }
    return { fields: decodeDetails(details), signature }
  },
}

function decodeDetails(bytes: Uint8Array): CertificateFields {
  let [name, issuer, notBefore, notAfter, isCa] = ['', '', 0, 0, false]
  let [networks, unsafeNetworks]: [string[], string[]] = [[], []]
  const groups: string[] = []
  let publicKey: Uint8Array = new Uint8Array()
  for (const field of readProtobuf(bytes, malformed)) {
    switch (field.number) {
      case 1:
        name = decodeText(bytesOf(field))
        break
      case 2:
        networks = toPrefixes(readPacked(bytesOf(field), malformed))
        break
      case 3:
        unsafeNetworks = toPrefixes(readPacked(bytesOf(field), malformed))
        break
      case 4:
        groups.push(decodeText(bytesOf(field)))
        break
      case 5:
        notBefore = numberOf(field)
        break
      case 6:
        notAfter = numberOf(field)
        break
      case 7:
        publicKey = bytesOf(field)
        break
      case 8:
        isCa = numberOf(field) !== 0
        break
      case 9:
        issuer = Buffer.from(bytesOf(field)).toString('hex')
        break
      case 100:
        throw malformed('its curve is P256; only Curve25519 is supported')
      default:
        throw malformed(`unknown field ${field.number}`)
    }
  }
  const times = { notBefore: fromSeconds(notBefore), notAfter: fromSeconds(notAfter) }
  return { name, networks, unsafeNetworks, groups, ...times, isCa, issuer: issuer === '' ? null : issuer, publicKey }
}

/** An IPv4 prefix as the two numbers that version 1 encodes: address and mask. */
function toNumbers(text: string): [number, number] {
  const { address, length } = parsePrefix(text, 'networks')
  if (address.length !== 4) throw malformed(`${text} is IPv6, which version 1 cannot carry`)
  return [Buffer.from(address).readUInt32BE(), length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0]
}

function toPrefixes(numbers: readonly number[]): string[] {
  if (numbers.length % 2 !== 0) throw malformed('an address has no mask')
  const texts: string[] = []
  for (let index = 0; index < numbers.length; index += 2) {
    const [address = 0, mask = 0] = [numbers[index], numbers[index + 1]]
    const length = Math.clz32(~mask)
    if (address > 0xffff_ffff || mask !== (length === 0 ? 0 : (0xffff_ffff << (32 - length)) >>> 0)) {
      throw malformed('an address or its mask is not one of IPv4')
    }
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(address)
    texts.push(formatPrefix({ address: bytes, length }))
  }
  return texts
}

function bytesOf(field: ProtobufField): Uint8Array {
  if (field.type !== 'bytes') throw malformed(`field ${field.number} is a number`)
  return field.value
}

function numberOf(field: ProtobufField): number {
  if (field.type !== 'varint') throw malformed(`field ${field.number} is not a number`)
  return field.value
}
