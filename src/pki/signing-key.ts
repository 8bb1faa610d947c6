import { sign, verify, type KeyObject } from 'node:crypto'

import { generateRawPrivateKey, rawPrivateKey, rawPublicKey, toPrivateKey, toPublicKey } from './encoding/der-keys.ts'
import { PkiError } from './errors.ts'

declare const kind: unique symbol

/** A CA's public key (Ed25519, RFC 8032): 32 bytes. */
export type SigningPublicKey = Uint8Array & { readonly [kind]: 'Ed25519 public key' }

/** A CA's private key. It prints as nothing and can be posted to a worker thread as it is. */
export type SigningKey = KeyObject & { readonly [kind]: 'Ed25519 private key' }

/**
 * Uses 32 bytes as a CA's public key.
 * @throws PkiError for another length
 */
export function signingPublicKey(bytes: Uint8Array): SigningPublicKey {
  if (bytes.length === 32) return bytes as SigningPublicKey
  throw new PkiError('certificate', `has a public key of ${bytes.length} bytes, Ed25519's have 32`)
}

export const generateSigningKey = (): SigningKey => toPrivateKey('ed25519', generateRawPrivateKey()) as SigningKey

/**
 * Reads the 64 bytes that nebula-cert writes (Go's ed25519.PrivateKey): the seed, then the public key.
 * @throws PkiError when there are not 64 bytes, or when the two halves do not match
 */
export function signingKeyFromBytes(bytes: Uint8Array): SigningKey {
  if (bytes.length !== 64) throw new PkiError('key', `has ${bytes.length} bytes, an Ed25519 signing key has 64`)
  const key = toPrivateKey('ed25519', bytes.subarray(0, 32)) as SigningKey
  if (Buffer.compare(publicHalf(key), bytes.subarray(32)) === 0) return key
  throw new PkiError('key', 'is damaged: its public half does not belong to its private half')
}

/** Writes the key as nebula-cert does: 64 bytes. */
export const signingKeyBytes = (key: SigningKey): Uint8Array => Buffer.concat([rawPrivateKey(key), publicHalf(key)])

export const publicHalf = (key: SigningKey): SigningPublicKey => signingPublicKey(rawPublicKey(key))

/** An Ed25519 signature, 64 bytes; the same text and key always give the same one. */
export const signBytes = (bytes: Uint8Array, key: SigningKey): Uint8Array => sign(null, bytes, key)

export const isSignedBy = (bytes: Uint8Array, signature: Uint8Array, publicKey: SigningPublicKey): boolean =>
  verify(null, bytes, toPublicKey('ed25519', publicKey), signature)
