import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

import { PkiError } from './errors.ts'

declare const kind: unique symbol

/** The key that seals CA keys. */
export type SealingKey = KeyObject & { readonly [kind]: 'sealing key' }

/** The context of a sealed text: it opens only with this key and for this cluster. */
export interface SealContext {
  readonly key: SealingKey
  readonly clusterId: string
}

/** Derives the sealing key from ORRERY_SECRET (HKDF-SHA256, RFC 5869). */
export const sealingKey = (secret: string): SealingKey =>
  createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'orrery', 'orrery/v1/ca-key-sealing', 32))) as SealingKey

const [nonceLength, tagLength] = [12, 16]

/**
 * Seals a secret text for the database with AES-256-GCM: `v1.` and base64url of nonce, ciphertext and tag. The
 * cluster's id is authenticated with it, so that a row's secret is useless in another row.
 */
export function seal(plaintext: string, { key, clusterId }: SealContext): string {
  const nonce = randomBytes(nonceLength)
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(clusterId))
  const sealed = [nonce, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]
  return `v1.${Buffer.concat(sealed).toString('base64url')}`
}

/**
 * Opens a text that `seal` made.
 * @throws PkiError when it was sealed with another key or for another cluster, or was changed; never quotes any of it
 */
export function unseal(sealed: string, { key, clusterId }: SealContext): string {
  const [, base64url = ''] = /^v1\.([A-Za-z0-9_-]+)$/.exec(sealed) ?? []
  const bytes = Buffer.from(base64url, 'base64url')
  if (bytes.length < nonceLength + tagLength || bytes.toString('base64url') !== base64url)
    throw new PkiError('sealed key', 'is not in the form v1.<base64url>')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, nonceLength))
    .setAAD(Buffer.from(clusterId))
    .setAuthTag(bytes.subarray(-tagLength))
  try {
    const text = decipher.update(bytes.subarray(nonceLength, -tagLength), undefined, 'utf8')
    return text + decipher.final('utf8')
  } catch {
    // OpenSSL's error adds nothing to this one.
    throw new PkiError(
      'sealed key',
      'cannot be opened: another ORRERY_SECRET sealed it, for another cluster, or it was changed',
    )
  }
}
