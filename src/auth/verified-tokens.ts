import { createHash } from 'node:crypto'

/** Tokens that are remembered; a page that asks every few seconds is one. */
const kept = 1000

/**
 * Tokens whose signature has been verified, by their SHA-256. A signature under a key that does not change stays what it
 * is; only the time has to be looked at again, and whom the token is for is looked up with every request as before.
 */
export class VerifiedTokens<Claims extends { readonly expiresAt: Date }> {
  readonly #claims = new Map<string, Claims>()
  readonly #tolerance: number

  /** @param tolerance how long behind its end a token still holds, in seconds */
  constructor(tolerance: number) {
    this.#tolerance = tolerance
  }

  /** What a token says that was verified before and still holds; null otherwise. */
  get(token: string): Claims | null {
    const key = keyOf(token)
    const claims = this.#claims.get(key)
    if (!claims) return null
    if (claims.expiresAt.getTime() > Date.now() - this.#tolerance * 1000) return claims
    this.#claims.delete(key)
    return null
  }

  add(token: string, claims: Claims): void {
    // Those that are still in use come back at once.
    if (this.#claims.size >= kept) this.#claims.clear()
    this.#claims.set(keyOf(token), claims)
  }
}

const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64')
