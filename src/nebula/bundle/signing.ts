import { createPrivateKey, sign, verify, type KeyObject } from 'node:crypto'

import { generateRawPrivateKey, rawPublicKey, toPrivateKey, toPublicKey } from '../../pki/encoding/der-keys.ts'

/** The key pair that signs a cluster's manifests (Ed25519, RFC 8032). It is not the CA's. */
export interface BundleSigningKey {
  /** PKCS #8 in DER, base64: seal it before it is stored. */
  readonly privateKey: string
  /** The 32 bytes, base64; agents receive them with their enrollment. */
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
 * Signs a manifest's bytes; the same text and key always give the same signature.
 * @param privateKey as `generateBundleSigningKey` returned it
 * @returns base64, 88 characters
 * @throws Error when the key is invalid: a stored key is no caller's mistake
 */
export function signManifest(text: string, privateKey: string): string {
  return sign(null, Buffer.from(text), readPrivateKey(privateKey)).toString('base64')
}

/**
 * Whether the holder of the key signed these bytes.
 * @param text the manifest as received; pass bytes where they may not be UTF-8
 * @param signature base64, with or without the line break that ends `manifest.sig`
 * @param publicKey 32 bytes, base64
 */
export function verifyManifest(text: string | Uint8Array, signature: string, publicKey: string): boolean {
  const [signed, key] = [Buffer.from(signature, 'base64'), Buffer.from(publicKey, 'base64')]
  // Buffer skips what is not base64; only one spelling of a signature is accepted.
  if (key.length !== 32 || signed.length !== 64 || signed.toString('base64') !== signature.replace(/\n$/, ''))
    return false
  return verify(null, typeof text === 'string' ? Buffer.from(text) : text, toPublicKey('ed25519', key), signed)
}

function readPrivateKey(text: string): KeyObject {
  try {
    const key = createPrivateKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'pkcs8' })
    if (key.asymmetricKeyType === 'ed25519') return key
  } catch {
    // The library's message about a broken key may quote the key.
  }
  throw new Error("a cluster's bundle-signing key is not an Ed25519 key in PKCS #8")
}
