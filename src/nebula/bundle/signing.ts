import { createPrivateKey, sign, verify, type KeyObject } from 'node:crypto'

import { generateRawPrivateKey, rawPublicKey, toPrivateKey, toPublicKey } from '../../pki/encoding/der-keys.ts'

/** The key pair that a cluster's manifests are signed with (Ed25519, RFC 8032). It is not the CA's. */
export interface BundleSigningKey {
  /** PKCS #8 in DER, base64: seal it before it is stored. */
  readonly privateKey: string
  /** The 32 bytes, base64: what agents are given with their enrolment. */
  readonly publicKey: string
}

export function generateBundleSigningKey(): BundleSigningKey {
  const key = toPrivateKey('ed25519', generateRawPrivateKey())
  return {
    privateKey: key.export({ format: 'der', type: 'pkcs8' }).toString('base64'),
    publicKey: Buffer.from(rawPublicKey(key)).toString('base64'),
  }
}

/**
 * Signs a manifest's bytes; of one text and key the signature is always the same.
 * @param privateKey as `generateBundleSigningKey` gave it
 * @returns base64, 88 characters
 * @throws Error when the key is not one: a stored key is no caller's mistake
 */
export function signManifest(text: string, privateKey: string): string {
  return sign(null, Buffer.from(text), readPrivateKey(privateKey)).toString('base64')
}

/**
 * Whether the holder of the key signed these bytes.
 * @param text the manifest as it came; give its bytes where they may not be UTF-8
 * @param signature base64, with or without the line break that ends `manifest.sig`
 * @param publicKey 32 bytes, base64
 */
export function verifyManifest(text: string | Uint8Array, signature: string, publicKey: string): boolean {
  const [signed, key] = [Buffer.from(signature, 'base64'), Buffer.from(publicKey, 'base64')]
  // Buffer passes over what is not base64; one signature has one spelling.
  if (key.length !== 32 || signed.length !== 64 || signed.toString('base64') !== signature.replace(/\n$/, ''))
    return false
  return verify(null, typeof text === 'string' ? Buffer.from(text) : text, toPublicKey('ed25519', key), signed)
}

function readPrivateKey(text: string): KeyObject {
  try {
    const key = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // What the library says of a broken key may quote it.
  }
  throw new Error("a cluster's bundle-signing key is not an Ed25519 key in PKCS #8")
}
