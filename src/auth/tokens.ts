import { createHmac, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto'

declare const kind: unique symbol

/** A node's token as the node holds it: `orn_` and 32 random bytes in base64url. Shown once, never stored. */
export type NodeToken = string & { readonly [kind]: 'node token' }
/** A cluster's token, with which machines enrol: `orc_` and 32 random bytes in base64url. */
export type ClusterToken = string & { readonly [kind]: 'cluster token' }
/** HMAC-SHA256 of a token, 64 hex digits: what the database holds. */
export type TokenHash = string & { readonly [kind]: 'token hash' }

type ParsedToken = { kind: 'node'; token: NodeToken } | { kind: 'cluster'; token: ClusterToken }

const form = /^or[nc]_[A-Za-z0-9_-]{43}$/

/** Recognises a token by its prefix and form; null for anything else. */
export function parseToken(text: string): ParsedToken | null {
  if (!form.test(text)) return null
  return text.startsWith('orn_')
    ? { kind: 'node', token: text as NodeToken }
    : { kind: 'cluster', token: text as ClusterToken }
}

/** Makes and hashes tokens under one key (`Keys.tokenHash`), and knows them under those of the secrets before. */
export class Tokens {
  readonly #key: KeyObject
  readonly #previous: readonly KeyObject[]

  constructor(key: KeyObject, previous: readonly KeyObject[] = []) {
    this.#key = key
    this.#previous = previous
  }

  /** A new node token with its hash: one function makes both, so that none is shown that was not stored. */
  newNodeToken(): { token: NodeToken; hash: TokenHash } {
    const token = `orn_${randomBytes(32).toString('base64url')}` as NodeToken
    return { token, hash: this.hash(token) }
  }

  /** A new cluster token with its hash. */
  newClusterToken(): { token: ClusterToken; hash: TokenHash } {
    const token = `orc_${randomBytes(32).toString('base64url')}` as ClusterToken
    return { token, hash: this.hash(token) }
  }

  hash(token: NodeToken | ClusterToken): TokenHash {
    return hashUnder(this.#key, token)
  }

  /** Under which hashes a token may be kept: the present secret's, then those of the secrets before it. */
  hashes(token: NodeToken | ClusterToken): readonly [present: TokenHash, ...previous: TokenHash[]] {
    return [this.hash(token), ...this.#previous.map((key) => hashUnder(key, token))]
  }
}

const hashUnder = (key: KeyObject, token: string): TokenHash =>
  createHmac('sha256', key).update(token).digest('hex') as TokenHash

/** Of SHA-256. */
const hashBytes = 32

/** Compares, in constant time, the hash that a look-up by index found with the one that was presented. */
export function sameHash(stored: string, presented: TokenHash): boolean {
  const [a, b] = [Buffer.from(stored, 'hex'), Buffer.from(presented, 'hex')]
  return a.length === hashBytes && b.length === hashBytes && timingSafeEqual(a, b)
}
