import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto'

/** Bytes of entropy that ORRERY_SECRET must at least look like, in characters. */
export const minimumSecretLength = 32

/** The keys that are derived from the one secret, each for one purpose (HKDF-SHA256, RFC 5869). */
export interface Keys {
  /** HMAC-SHA256 of node and cluster tokens. */
  readonly tokenHash: KeyObject
  /** HS256 of Orrery's own JWTs. */
  readonly jwt: KeyObject
  /** HMAC-SHA256 of the anchors of the audit trail. */
  readonly audit: KeyObject
}

/** Derives the keys; the purpose is HKDF's `info`, so that no key reveals anything about another. */
export function deriveKeys(secret: string): Keys {
  if (secret.length < minimumSecretLength) {
    throw new Error(`ORRERY_SECRET must have at least ${minimumSecretLength} characters`)
  }
  const derive = (purpose: string) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret, 'orrery', `orrery/v1/${purpose}`, 32)))
  return { tokenHash: derive('token-hash'), jwt: derive('jwt'), audit: derive('audit-anchor') }
}
