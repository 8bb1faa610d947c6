import type { Database } from '../db/client/client.ts'
import type { JwtVerifier } from './jwt.ts'
import { operatorScope, tenantScope } from './make-scope.ts'
import type { Opener } from './scope.ts'
import type { ApiScope } from './api-scopes.ts'
import { anonymous, type OperatorSession, type Session, type TenantRole } from './session.ts'
import {
  parseToken,
  sameHash,
  type AccessToken,
  type ClusterToken,
  type EnrollmentKey,
  type NodeToken,
  type SessionToken,
  type TokenHash,
  type Tokens,
} from './tokens.ts'

/** Why a caller is recognised: it makes a request, or a stream of its that is open checks whether it still may listen. */
export type Occasion = 'request' | 'check'

/** Recognises callers by their `Authorization` header; a request if no other occasion is given. */
export type Authenticate = (authorization: string | null, occasion?: Occasion) => Promise<Session>

/** The rows that credentials lead to, looked up by an index; null where there is none. */
export interface Credentials {
  nodeByTokenHash(hash: TokenHash): Promise<CredentialNode | null>
  clusterByTokenHash(hash: TokenHash): Promise<CredentialCluster | null>
  /** The session or the access token of a person. */
  personByTokenHash(kind: PersonKind, hash: TokenHash): Promise<CredentialPerson | null>
  /** Null also for a key that is used up; its end is compared here. */
  enrollmentKeyByTokenHash(hash: TokenHash): Promise<CredentialKey | null>
  tenantExists(id: string): Promise<boolean>
  /** Stores under the present secret's hash a token that was found under the hash of an earlier secret. */
  rehashNode(id: string, from: TokenHash, to: TokenHash): Promise<void>
  rehashCluster(id: string, from: TokenHash, to: TokenHash): Promise<void>
  /** For rows of `credentials`, of any kind. */
  rehashCredential(id: string, from: TokenHash, to: TokenHash): Promise<void>
}

interface CredentialNode {
  readonly id: string
  readonly tenantId: string
  readonly clusterId: string
  readonly name: string
  readonly isAdmin: boolean
  readonly tokenHash: string
  readonly blockedAt: Date | null
  readonly clusterConfigVersion: number
  readonly latestBundleVersion: number | null
}

interface CredentialCluster {
  readonly id: string
  readonly tenantId: string
  readonly clusterTokenHash: string
}

/** `credentials.kind` of what people are recognised by. */
export type PersonKind = 'session' | 'access_token'

interface CredentialPerson {
  readonly id: string
  readonly tokenHash: string
  readonly may: { readonly role: 'operator' } | { readonly role: TenantRole; readonly tenantId: string }
  readonly name: string
  readonly expiresAt: Date
  /** When a session that is not used any more ends; null for an access token. */
  readonly idleAt: Date | null
  readonly scopes: readonly ApiScope[] | null
}

interface CredentialKey {
  readonly id: string
  readonly tenantId: string
  readonly clusterId: string
  readonly tokenHash: string
  readonly expiresAt: Date
}

interface Dependencies {
  readonly database: Database
  readonly tokens: Tokens
  readonly jwts: JwtVerifier
  readonly credentials: Credentials
  /** Called with each use of a credential that can be revoked. */
  readonly used: (credentialId: string) => void
  /** Of the server's secrets: callers do not change a cluster whose keys it cannot open. */
  readonly opener: Opener
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/** Longer than any credential Orrery takes; an identity provider's JWT with many groups stays well below. */
const maximumCredentialLength = 8192

/**
 * Makes the only way from a credential to a session. The token's prefix says which kind it is; every failure, for any
 * reason, results in the anonymous session.
 */
export function authenticator(dependencies: Dependencies): Authenticate {
  return (authorization, occasion = 'request') => {
    const credential = bearerCredential(authorization)
    if (credential === null) return nobody
    const parsed = parseToken(credential)
    switch (parsed?.kind) {
      case 'node':
        return nodeSession(dependencies, parsed.token)
      case 'cluster':
        return enrollingSession(dependencies, parsed.token)
      case 'session':
        return personSession(dependencies, { ...parsed, occasion })
      case 'accessToken':
        return personSession(dependencies, { ...parsed, kind: 'access_token', occasion })
      case 'enrollmentKey':
        return keySession(dependencies, parsed.token)
      // It can be exchanged for a session, and for nothing else.
      case 'signInCode':
        return nobody
      case undefined:
        return jwtSession(dependencies, credential)
    }
  }
}

/** The credential of `Bearer …` (RFC 6750, 2.1); null when it is missing or malformed. */
function bearerCredential(authorization: string | null): string | null {
  if (authorization === null || authorization.length > maximumCredentialLength) return null
  return /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1] ?? null
}

const nobody = Promise.resolve(anonymous)

async function nodeSession(
  { database, tokens, credentials, opener }: Dependencies,
  token: NodeToken,
): Promise<Session> {
  const node = await holderOf(tokens, token, {
    find: (hash) => credentials.nodeByTokenHash(hash),
    hashOf: ({ tokenHash }) => tokenHash,
    rehash: (id, from, to) => credentials.rehashNode(id, from, to),
  })
  if (!node) return anonymous
  const { id: nodeId, tenantId, clusterId, name, isAdmin, clusterConfigVersion, latestBundleVersion, blockedAt } = node
  const versions = { configVersion: clusterConfigVersion, latestBundleVersion }
  const scope = tenantScope(database, { tenantId, actor: `node ${name}`, opener }, { clusterId, nodeId })
  if (blockedAt !== null) return { kind: 'blockedNode', nodeId, scope }
  return { kind: 'node', nodeId, clusterId, name, isAdmin, versions, scope }
}

async function enrollingSession(
  { database, tokens, credentials, opener }: Dependencies,
  token: ClusterToken,
): Promise<Session> {
  const cluster = await holderOf(tokens, token, {
    find: (hash) => credentials.clusterByTokenHash(hash),
    hashOf: ({ clusterTokenHash }) => clusterTokenHash,
    rehash: (id, from, to) => credentials.rehashCluster(id, from, to),
  })
  if (!cluster) return anonymous
  const { id: clusterId, tenantId } = cluster
  const scope = tenantScope(database, { tenantId, actor: enrolling, opener }, { clusterId })
  return { kind: 'enrollingMachine', clusterId, keyId: null, scope }
}

async function keySession(dependencies: Dependencies, token: EnrollmentKey): Promise<Session> {
  const { database, tokens, credentials, opener, now = Date.now } = dependencies
  const key = await holderOf(tokens, token, {
    find: (hash) => credentials.enrollmentKeyByTokenHash(hash),
    hashOf: ({ tokenHash }) => tokenHash,
    rehash: (id, from, to) => credentials.rehashCredential(id, from, to),
  })
  if (!key || key.expiresAt.getTime() <= now()) return anonymous
  const { id: keyId, tenantId, clusterId } = key
  const scope = tenantScope(database, { tenantId, actor: enrolling, opener }, { clusterId })
  return { kind: 'enrollingMachine', clusterId, keyId, scope }
}

/** How messages name machines that enroll: one transaction may have several, with different keys. */
const enrolling = 'an enrolling machine'

interface PersonAsks {
  readonly kind: PersonKind
  readonly token: SessionToken | AccessToken
  readonly occasion: Occasion
}

async function personSession(dependencies: Dependencies, { kind, token, occasion }: PersonAsks) {
  const { tokens, credentials, used, now = Date.now } = dependencies
  const found = await holderOf(tokens, token, {
    find: (hash) => credentials.personByTokenHash(kind, hash),
    hashOf: ({ tokenHash }) => tokenHash,
    rehash: (id, from, to) => credentials.rehashCredential(id, from, to),
  })
  if (!found) return anonymous
  const { id: credentialId, may, name: subject, expiresAt, idleAt, scopes } = found
  if (Math.min(expiresAt.getTime(), idleAt?.getTime() ?? Infinity) <= now()) return anonymous
  // A page that is open and follows a stream is idle all the same.
  if (kind === 'access_token' || occasion === 'request') used(credentialId)
  return sessionOf(dependencies, may, { subject, expiresAt, credentialId, scopes })
}

type Who = Pick<OperatorSession, 'subject' | 'expiresAt' | 'credentialId' | 'scopes'>

/** The session of a person, whatever the credential. */
function sessionOf({ database, opener }: Dependencies, may: CredentialPerson['may'], who: Who): Session {
  const actor = `${may.role} ${who.subject}`
  switch (may.role) {
    case 'operator':
      return { kind: 'operator', ...who, scope: operatorScope(database, actor, opener) }
    case 'admin':
    case 'editor':
    case 'viewer':
    case 'auditor': {
      const scope = tenantScope(database, { tenantId: may.tenantId, actor, opener })
      return { kind: 'tenantAdmin', role: may.role, ...who, scope }
    }
  }
}

/** How to find the rows that one kind of token leads to. */
interface Holders<Row> {
  readonly find: (hash: TokenHash) => Promise<Row | null>
  readonly hashOf: (row: Row) => string
  readonly rehash: (id: string, from: TokenHash, to: TokenHash) => Promise<void>
}

/**
 * The row that a token leads to. A token that is stored under an earlier secret is moved to the present one.
 */
async function holderOf<Row extends { readonly id: string }>(
  tokens: Tokens,
  token: NodeToken | ClusterToken | SessionToken | AccessToken | EnrollmentKey,
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

async function jwtSession(dependencies: Dependencies, jwt: string): Promise<Session> {
  const { credentials, jwts } = dependencies
  const claims = await jwts.verify(jwt)
  if (!claims) return anonymous
  const { subject, expiresAt } = claims
  // A JWT can outlive its tenant; its holder is then anonymous.
  if (claims.role !== 'operator' && !(await credentials.tenantExists(claims.tenantId))) return anonymous
  return sessionOf(dependencies, claims, { subject, expiresAt, credentialId: null, scopes: null })
}
