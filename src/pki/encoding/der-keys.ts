import { createPrivateKey, createPublicKey, randomBytes, type KeyObject } from 'node:crypto'

/**
 * Converts between Node's key objects and the 32 bytes that Nebula writes, through PKCS #8 and SubjectPublicKeyInfo
 * (RFC 8410): a fixed head for each curve, then the key. Never through JWK, which looks simpler: Node 20 locks the key
 * while it builds the object, and a garbage collection of the key's other half at that moment stops the process for
 * good.
 */
const heads = {
  ed25519: { private: '302e020100300506032b657004220420', public: '302a300506032b6570032100' },
  x25519: { private: '302e020100300506032b656e04220420', public: '302a300506032b656e032100' },
} as const

type Curve = keyof typeof heads

/** A fresh private key: any 32 bytes are valid in both curves (RFC 7748, section 5; RFC 8032, section 5.1.5). */
export const generateRawPrivateKey = (): Uint8Array => randomBytes(32)

export const toPrivateKey = (curve: Curve, bytes: Uint8Array): KeyObject =>
  createPrivateKey({ key: der(heads[curve].private, bytes), format: 'der', type: 'pkcs8' })

export const toPublicKey = (curve: Curve, bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: der(heads[curve].public, bytes), format: 'der', type: 'spki' })

export const rawPrivateKey = (key: KeyObject): Uint8Array => key.export({ format: 'der', type: 'pkcs8' }).subarray(-32)

/** The public half of a private key. */
export const rawPublicKey = (privateKey: KeyObject): Uint8Array =>
  createPublicKey(privateKey).export({ format: 'der', type: 'spki' }).subarray(-32)

const der = (head: string, bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from(head, 'hex'), bytes])
