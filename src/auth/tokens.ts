import { hash, randomBytes, timingSafeEqual, type KeyObject } from 'node:crypto'

declare const kind: unique symbol

/** A node's token as the node holds it: `orn_` and 32 random bytes in base64url. Shown once, never stored. */
export type NodeToken = string & { readonly [kind]: 'node token' }
/** A cluster's token, with which machines enroll: `orc_` and 32 random bytes in base64url. */
export type ClusterToken = string & { readonly [kind]: 'cluster token' }
/** The token of a signed-in person's session: `ors_` and 32 random bytes in base64url. */
export type SessionToken = string & { readonly [kind]: 'session token' }
/** A sign-in link contains it, and it is exchanged for a session: `orl_` and 32 random bytes in base64url. */
export type SignInCode = string & { readonly [kind]: 'sign-in code' }
/** A token that a person or a script keeps: `orp_` and 32 random bytes in base64url. */
export type AccessToken = string & { readonly [kind]: 'access token' }
type Token = NodeToken | ClusterToken | SessionToken | SignInCode | AccessToken
/** HMAC-SHA256 of a token, 64 hex digits: the form that the database stores. */
export type TokenHash = string & { readonly [kind]: 'token hash' }

type ParsedToken =
  | { kind: 'node'; token: NodeToken }
  | { kind: 'cluster'; token: ClusterToken }
  | { kind: 'session'; token: SessionToken }
  | { kind: 'signInCode'; token: SignInCode }
  | { kind: 'accessToken'; token: AccessToken }

const form = /^or[ncslp]_[A-Za-z0-9_-]{43}$/

/** Recognises a token by its prefix and form; null for any other text. */
export function parseToken(text: string): ParsedToken | null {
  if (!form.test(text)) return null
  switch (text.charAt(2)) {
    case 'n':
      return { kind: 'node', token: text as NodeToken }
    case 'c':
      return { kind: 'cluster', token: text as ClusterToken }
    case 's':
      return { kind: 'session', token: text as SessionToken }
    case 'l':
      return { kind: 'signInCode', token: text as SignInCode }
    case 'p':
      return { kind: 'accessToken', token: text as AccessToken }
    default:
      return null
  }
}

/** Makes and hashes tokens under one key (`Keys.tokenHash`), and hashes them under the earlier secrets' keys too. */
export class Tokens {
  readonly #present: (token: string) => TokenHash
  readonly #previous: readonly ((token: string) => TokenHash)[]

  constructor(key: KeyObject, previous: readonly KeyObject[] = []) {
    this.#present = hasher(key)
    this.#previous = previous.map(hasher)
  }

  /** A new node token with its hash: one function makes both, so that every token that is shown was stored. */
  newNodeToken(): { token: NodeToken; hash: TokenHash } {
    return this.#hashed(randomToken('orn') as NodeToken)
  }

  /** A new cluster token with its hash. */
  newClusterToken(): { token: ClusterToken; hash: TokenHash } {
    return this.#hashed(randomToken('orc') as ClusterToken)
  }

  /** A new session token with its hash. */
  newSessionToken(): { token: SessionToken; hash: TokenHash } {
    return this.#hashed(randomToken('ors') as SessionToken)
  }

  /** A new sign-in code, for a link, with its hash. */
  newSignInCode(): { token: SignInCode; hash: TokenHash } {
    return this.#hashed(randomToken('orl') as SignInCode)
  }

  /** A new access token with its hash. */
  newAccessToken(): { token: AccessToken; hash: TokenHash } {
    return this.#hashed(randomToken('orp') as AccessToken)
  }

  hash(token: Token): TokenHash {
    return this.#present(token)
  }

  /** The other hashes that a token may be stored under: those of the earlier secrets. */
  previousHashes(token: Token): readonly TokenHash[] {
    return this.#previous.map((hash) => hash(token))
  }

  #hashed<T extends Token>(token: T): { token: T; hash: TokenHash } {
    return { token, hash: this.hash(token) }
  }
}

const randomToken = (prefix: string): string => `${prefix}_${randomBytes(32).toString('base64url')}`

/** Of SHA-256. */
const hashBytes = 32
const blockBytes = 64
/** Of a token (parseToken). */
const tokenBytes = 47

/**
 * Makes the HMAC-SHA256 of tokens under a key, from two hashes as in RFC 2104 (2). Each request of an agent needs one,
 * and node:crypto's own Hmac object costs more than the hashing: twice the time.
 */
function hasher(key: KeyObject): (token: string) => TokenHash {
  const padded = Buffer.alloc(blockBytes)
  const bytes = key.export()
  if (bytes.length > blockBytes) throw new Error(`a key for tokens has at most ${blockBytes} bytes`)
  bytes.copy(padded)
  const inner = Buffer.concat([padded.map((byte) => byte ^ 0x36), Buffer.alloc(tokenBytes)])
  const outer = Buffer.concat([padded.map((byte) => byte ^ 0x5c), Buffer.alloc(hashBytes)])
  return (token) => {
    if (token.length !== tokenBytes) throw new Error('what is hashed is no token')
    inner.write(token, blockBytes, 'latin1')
    outer.write(hash('sha256', inner, 'hex'), blockBytes, 'hex')
    return hash('sha256', outer, 'hex') as TokenHash
  }
}

/** Compares, in constant time, the stored hash with the presented one. */
export function sameHash(stored: string, presented: TokenHash): boolean {
  const { a, b } = compared
  const digits = 2 * hashBytes
  if (stored.length !== digits || presented.length !== digits) return false
  if (a.write(stored, 'hex') < hashBytes || b.write(presented, 'hex') < hashBytes) return false
  return timingSafeEqual(a, b)
}

/** Buffers for one comparison: a thread makes one at a time. */
const compared = { a: Buffer.alloc(hashBytes), b: Buffer.alloc(hashBytes) }
