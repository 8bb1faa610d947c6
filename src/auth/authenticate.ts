import type { Database } from '../db/client/client.ts'
import type { JwtVerifier } from './jwt.ts'
import { operatorScope, tenantScope } from './make-scope.ts'
import type { Opener } from './scope.ts'
import type { ApiScope } from './api-scopes.ts'
import { holderOf, presentOrFormerHolderOf, type FormerToken, type FormerTokens } from './holders.ts'
import { anonymous, type OperatorSession, type PersonRights, type Session } from './session.ts'
import {
  parseToken,
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
  /** The former token with one of the hashes, in one statement; its end is compared here. */
  formerToken(hashes: readonly TokenHash[]): Promise<FormerToken | null>
  /** The owners of former tokens. */
  nodeById(id: string): Promise<CredentialNode | null>
  clusterById(id: string): Promise<CredentialCluster | null>
  accessTokenById(id: string): Promise<CredentialPerson | null>
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
  readonly may: PersonRights
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
        return pageSession(dependencies, parsed.token, occasion)
      case 'accessToken':
        return accessTokenSession(dependencies, parsed.token)
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
export function bearerCredential(authorization: string | null): string | null {
  if (authorization === null || authorization.length > maximumCredentialLength) return null
  return /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1] ?? null
}

const nobody = Promise.resolve(anonymous)

const formerTokensOf = ({ credentials, used, now = Date.now }: Dependencies): FormerTokens => ({
  find: (hashes) => credentials.formerToken(hashes),
  rehash: (id, from, to) => credentials.rehashCredential(id, from, to),
  used,
  now,
})

async function nodeSession(dependencies: Dependencies, token: NodeToken): Promise<Session> {
  const { database, tokens, credentials, opener } = dependencies
  const holder = await presentOrFormerHolderOf(tokens, token, {
    of: 'node',
    formerTokens: formerTokensOf(dependencies),
    findById: (id) => credentials.nodeById(id),
    find: (hash) => credentials.nodeByTokenHash(hash),
    hashOf: ({ tokenHash }) => tokenHash,
    rehash: (id, from, to) => credentials.rehashNode(id, from, to),
  })
  if (!holder) return anonymous
  const { row, endsAt: expiresAt } = holder
  const { id: nodeId, tenantId, clusterId, name, isAdmin, clusterConfigVersion, latestBundleVersion, blockedAt } = row
  // Blocking a node ends its former token.
  if (blockedAt !== null && expiresAt !== null) return anonymous
  const versions = { configVersion: clusterConfigVersion, latestBundleVersion }
  const scope = tenantScope(database, { tenantId, actor: `node ${name}`, opener }, { clusterId, nodeId })
  if (blockedAt !== null) return { kind: 'blockedNode', nodeId, scope }
  return { kind: 'node', nodeId, clusterId, name, isAdmin, versions, expiresAt, scope }
}

async function enrollingSession(dependencies: Dependencies, token: ClusterToken): Promise<Session> {
  const { database, tokens, credentials, opener } = dependencies
  const holder = await presentOrFormerHolderOf(tokens, token, {
    of: 'cluster',
    formerTokens: formerTokensOf(dependencies),
    findById: (id) => credentials.clusterById(id),
    find: (hash) => credentials.clusterByTokenHash(hash),
    hashOf: ({ clusterTokenHash }) => clusterTokenHash,
    rehash: (id, from, to) => credentials.rehashCluster(id, from, to),
  })
  if (!holder) return anonymous
  const { id: clusterId, tenantId } = holder.row
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

const personsOf = ({ credentials }: Dependencies, kind: PersonKind) => ({
  find: (hash: TokenHash) => credentials.personByTokenHash(kind, hash),
  hashOf: ({ tokenHash }: CredentialPerson) => tokenHash,
  rehash: (id: string, from: TokenHash, to: TokenHash) => credentials.rehashCredential(id, from, to),
})

async function pageSession(dependencies: Dependencies, token: SessionToken, occasion: Occasion): Promise<Session> {
  const found = await holderOf(dependencies.tokens, token, personsOf(dependencies, 'session'))
  if (!found) return anonymous
  // A page that is open and follows a stream is idle all the same.
  return personSession(dependencies, found, { expiresAt: found.expiresAt, isUse: occasion === 'request' })
}

async function accessTokenSession(dependencies: Dependencies, token: AccessToken): Promise<Session> {
  const holder = await presentOrFormerHolderOf(dependencies.tokens, token, {
    ...personsOf(dependencies, 'access_token'),
    of: 'accessToken',
    formerTokens: formerTokensOf(dependencies),
    findById: (id) => dependencies.credentials.accessTokenById(id),
  })
  if (!holder) return anonymous
  const { row, endsAt } = holder
  // A former token ends with the token itself at the latest, and its use is noted already.
  return personSession(dependencies, row, { expiresAt: endsAt ?? row.expiresAt, isUse: endsAt === null })
}

interface Asks {
  /** When the credential ends by which the person asks. */
  readonly expiresAt: Date
  /** Whether the row is used by it. */
  readonly isUse: boolean
}

function personSession(dependencies: Dependencies, found: CredentialPerson, { expiresAt, isUse }: Asks): Session {
  const { used, now = Date.now } = dependencies
  const { id: credentialId, may, name: subject, idleAt, scopes } = found
  if (Math.min(found.expiresAt.getTime(), idleAt?.getTime() ?? Infinity) <= now()) return anonymous
  if (isUse) used(credentialId)
  return sessionOf(dependencies, may, { subject, expiresAt, credentialId, scopes })
}

type Who = Pick<OperatorSession, 'subject' | 'expiresAt' | 'credentialId' | 'scopes'>

/** The session of a person, whatever the credential. */
function sessionOf({ database, opener }: Dependencies, may: PersonRights, who: Who): Session {
  const actor = `${may.role} ${who.subject}`
  switch (may.role) {
    case 'operator':
      return { kind: 'operator', ...who, scope: operatorScope(database, actor, opener) }
    case 'admin':
    case 'editor':
    case 'viewer':
    case 'auditor': {
      const { tenantId, clusterIds } = may
      const scope = tenantScope(database, { tenantId, actor, opener }, clusterIds && { clusterIds })
      return { kind: 'tenantAdmin', role: may.role, ...who, scope }
    }
  }
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
