import { generateRawPrivateKey, rawPublicKey, toPrivateKey } from './encoding/der-keys.ts'
import { PkiError, type PkiSubject } from './errors.ts'
import { readPemBlock, writePem } from './encoding/pem.ts'

declare const kind: unique symbol

/** A node's public key (X25519, RFC 7748): 32 bytes, and not one of the points that give everyone the same secret. */
export type NodePublicKey = Uint8Array & { readonly [kind]: 'X25519 public key' }

/** A node's key pair. The private key stays on the node, in a file that only its owner can read. */
export interface NodeKeyPair {
  readonly publicKey: NodePublicKey
  /** `NEBULA X25519 PRIVATE KEY`, what Nebula's `pki.key` names. */
  readonly privateKeyPem: string
}

const publicBanner = 'NEBULA X25519 PUBLIC KEY'
const privateBanner = 'NEBULA X25519 PRIVATE KEY'

/**
 * Reads a node's public key as `nebula-cert keygen` writes it.
 * @throws PkiError for a private key, a key of another kind or length, or a point of low order
 */
export function parsePublicKey(pem: string): NodePublicKey {
  const { banner, bytes } = readPemBlock(pem, 'key')
  if (banner.includes('PRIVATE KEY')) {
    throw new PkiError('key', 'is a private key: send the public half, and let no private key leave its machine')
  }
  if (banner !== publicBanner) throw new PkiError('key', `is a "${banner}", a "${publicBanner}" is wanted`)
  return nodePublicKey(bytes, 'key')
}

export const formatPublicKey = (publicKey: NodePublicKey): string =>
  writePem({ banner: publicBanner, bytes: publicKey })

/** Makes a node's key pair, as `nebula-cert keygen` does. */
export const generateNodeKeyPair = (): NodeKeyPair => keyPair(generateRawPrivateKey())

/**
 * Reads a node's private key, on the node, and computes the public key.
 * @throws PkiError
 */
export function parseNodeKeyPair(privateKeyPem: string): NodeKeyPair {
  const { banner, bytes } = readPemBlock(privateKeyPem, 'key')
  if (banner !== privateBanner) throw new PkiError('key', `is a "${banner}", a "${privateBanner}" is wanted`)
  if (bytes.length !== 32) throw new PkiError('key', `has ${bytes.length} bytes, an X25519 key has 32`)
  return keyPair(bytes)
}

/**
 * Takes 32 bytes for a node's public key.
 * @throws PkiError
 */
export function nodePublicKey(bytes: Uint8Array, subject: PkiSubject): NodePublicKey {
  if (bytes.length !== 32) throw new PkiError(subject, `has a public key of ${bytes.length} bytes, X25519's have 32`)
  const masked = Buffer.from(bytes)
  masked[31] = (bytes[31] ?? 0) & 0x7f
  if (lowOrder.has(masked.toString('hex'))) {
    throw new PkiError(subject, 'has a public key that no X25519 key pair has (a point of low order)')
  }
  return bytes as NodePublicKey
}

/**
 * The u-coordinates with which every private key gives the same, known secret (RFC 7748, section 6.1): the points of
 * order 1, 2, 4 and 8 on the curve and its twist, and their second spellings modulo 2²⁵⁵−19, little-endian. The
 * highest bit is not part of the coordinate.
 */
const lowOrder = new Set([
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
])

const keyPair = (privateKey: Uint8Array): NodeKeyPair => ({
  publicKey: nodePublicKey(rawPublicKey(toPrivateKey('x25519', privateKey)), 'key'),
  privateKeyPem: writePem({ banner: privateBanner, bytes: privateKey }),
})
