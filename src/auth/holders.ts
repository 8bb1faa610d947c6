import {
  sameHash,
  type AccessToken,
  type ClusterToken,
  type EnrollmentKey,
  type NodeToken,
  type SessionToken,
  type TokenHash,
  type Tokens,
} from './tokens.ts'

/** A token that was replaced, and goes on working during its grace time. */
export interface FormerToken {
  readonly id: string
  readonly tokenHash: string
  readonly expiresAt: Date
  /** What it is a former token of. */
  readonly of: 'node' | 'cluster' | 'accessToken'
  readonly ownerId: string
}

/** What finds former tokens, and is told of their use. */
export interface FormerTokens {
  readonly find: (hashes: readonly TokenHash[]) => Promise<FormerToken | null>
  readonly rehash: (id: string, from: TokenHash, to: TokenHash) => Promise<void>
  readonly used: (id: string) => void
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** How to find the rows that one kind of token leads to. */
interface Holders<Row> {
  readonly find: (hash: TokenHash) => Promise<Row | null>
  readonly hashOf: (row: Row) => string
  readonly rehash: (id: string, from: TokenHash, to: TokenHash) => Promise<void>
}

/** The same for a kind whose tokens can be replaced with a grace time. */
interface Replaceable<Row> extends Holders<Row> {
  readonly of: FormerToken['of']
  readonly findById: (id: string) => Promise<Row | null>
}

type Token = NodeToken | ClusterToken | SessionToken | AccessToken | EnrollmentKey

/** The row that a token leads to. A token that is stored under an earlier secret is moved to the present one. */
export async function holderOf<Row extends { readonly id: string }>(
  tokens: Tokens,
  token: Token,
  { find, hashOf, rehash }: Holders<Row>,
): Promise<Row | null> {
  const present = tokens.hash(token)
  const row = await find(present)
  if (row && sameHash(hashOf(row), present)) return row
  for (const previous of tokens.previousHashes(token)) {
    const kept = await find(previous)
    if (!kept || !sameHash(hashOf(kept), previous)) continue
    await rehash(kept.id, previous, present)
    return kept
  }
  return null
}

/**
 * The same, also by a former token. That one is looked for only where the token is nobody's present one, in a single
 * statement, so that present tokens cost what they did.
 * @returns the row, and when a former token ends; null for the present one, which has no end of its own
 */
export async function presentOrFormerHolderOf<Row extends { readonly id: string }>(
  tokens: Tokens,
  token: Token,
  { formerTokens, ...holders }: Replaceable<Row> & { readonly formerTokens: FormerTokens },
): Promise<{ readonly row: Row; readonly endsAt: Date | null } | null> {
  const row = await holderOf(tokens, token, holders)
  if (row) return { row, endsAt: null }
  const present = tokens.hash(token)
  const hashes = [present, ...tokens.previousHashes(token)]
  const former = await formerTokens.find(hashes)
  const hash = hashes.find((one) => former !== null && sameHash(former.tokenHash, one))
  if (former?.of !== holders.of || hash === undefined || former.expiresAt.getTime() <= formerTokens.now()) return null
  const owner = await holders.findById(former.ownerId)
  if (!owner) return null
  if (hash !== present) await formerTokens.rehash(former.id, hash, present)
  formerTokens.used(former.id)
  return { row: owner, endsAt: former.expiresAt }
}
