import { createHash } from 'node:crypto'

/** How many tokens are remembered; a page that polls every few seconds uses one. */
const kept = 1000

/**
 * Tokens whose signature has been verified, by their SHA-256. Under a key that does not change, a signature stays
 * valid; only the time has to be checked again, and the token's owner is looked up with every request as before.
 */
export class VerifiedTokens<Claims extends { readonly expiresAt: Date }> {
  readonly #claims = new Map<string, Claims>()
  readonly #tolerance: number

  /** @param tolerance seconds after its expiry during which a token is still accepted */
  constructor(tolerance: number) {
    this.#tolerance = tolerance
  }

  /** The claims of a token that was verified before and is still valid; null otherwise. */
  get(token: string): Claims | null {
    const key = keyOf(token)
    const claims = this.#claims.get(key)
    if (!claims) return null
    if (claims.expiresAt.getTime() > Date.now() - this.#tolerance * 1000) return claims
    this.#claims.delete(key)
    return null
  }

  add(token: string, claims: Claims): void {
    // Tokens that are still in use are verified again at once.
    if (this.#claims.size >= kept) this.#claims.clear()
    this.#claims.set(keyOf(token), claims)
  }
}

const keyOf = (token: string): string => createHash('sha256').update(token).digest('base64')
