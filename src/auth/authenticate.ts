import type { Database } from '../db/client.ts'
import type { JwtVerifier } from './jwt.ts'
import { operatorScope, tenantScope } from './make-scope.ts'
import { anonymous, type Session } from './session.ts'
import { parseToken, sameHash, type TokenHash, type Tokens } from './tokens.ts'

/** Recognises callers by their `Authorization` header. */
export type Authenticate = (authorization: string | null) => Promise<Session>

/** The rows that credentials lead to, looked up by an index; null where there is none. */
export interface Credentials {
  nodeByTokenHash(hash: TokenHash): Promise<CredentialNode | null>
  clusterByTokenHash(hash: TokenHash): Promise<CredentialCluster | null>
  tenantExists(id: string): Promise<boolean>
  /** Keeps a token, that was found under the hash of a secret before, under the present one's. */
  rehashNode(id: string, from: TokenHash, to: TokenHash): Promise<void>
  rehashCluster(id: string, from: TokenHash, to: TokenHash): Promise<void>
}

interface CredentialNode {
  readonly id: string
  readonly tenantId: string
  readonly clusterId: string
  readonly name: string
  readonly isAdmin: boolean
  readonly tokenHash: string
}

interface CredentialCluster {
  readonly id: string
  readonly tenantId: string
  readonly clusterTokenHash: string
}

interface Means {
  readonly database: Database
  readonly tokens: Tokens
  readonly jwts: JwtVerifier
  readonly credentials: Credentials
}

/** Longer than any credential Orrery takes; an identity provider's JWT with many groups stays well below. */
const maximumCredentialLength = 8192

/**
 * Makes the one way from a credential to a session. The token's prefix says which kind it is; every failure, whatever
 * failed, is the anonymous session.
 */
export function authenticator(means: Means): Authenticate {
  return async (authorization) => {
    const credential = bearerCredential(authorization)
    if (credential === null) return anonymous
    const parsed = parseToken(credential)
    switch (parsed?.kind) {
      case 'node':
        return nodeSession(means, means.tokens.hashes(parsed.token))
      case 'cluster':
        return enrollingSession(means, means.tokens.hashes(parsed.token))
      case undefined:
        return jwtSession(means, credential)
    }
  }
}

/** The credential of `Bearer …` (RFC 6750, 2.1); null when there is none or it has another form. */
function bearerCredential(authorization: string | null): string | null {
  if (authorization === null || authorization.length > maximumCredentialLength) return null
  return /^Bearer +([\w.~+/=-]+)$/i.exec(authorization)?.[1] ?? null
}

/** The hashes that a token may be kept under, the present secret's first. */
type Hashes = readonly [present: TokenHash, ...previous: TokenHash[]]

async function nodeSession({ database, credentials }: Means, hashes: Hashes): Promise<Session> {
  const found = await firstOf(hashes, async (hash) => {
    const node = await credentials.nodeByTokenHash(hash)
    return node && sameHash(node.tokenHash, hash) ? node : null
  })
  if (!found) return anonymous
  const { row: node, hash } = found
  if (hash !== hashes[0]) await credentials.rehashNode(node.id, hash, hashes[0])
  const { id: nodeId, clusterId, name, isAdmin } = node
  return {
    kind: 'node',
    nodeId,
    clusterId,
    name,
    isAdmin,
    scope: tenantScope(database, { tenantId: node.tenantId, actor: `node ${name}` }, { clusterId, nodeId }),
  }
}

async function enrollingSession({ database, credentials }: Means, hashes: Hashes): Promise<Session> {
  const found = await firstOf(hashes, async (hash) => {
    const cluster = await credentials.clusterByTokenHash(hash)
    return cluster && sameHash(cluster.clusterTokenHash, hash) ? cluster : null
  })
  if (!found) return anonymous
  const { row: cluster, hash } = found
  if (hash !== hashes[0]) await credentials.rehashCluster(cluster.id, hash, hashes[0])
  return {
    kind: 'enrollingMachine',
    clusterId: cluster.id,
    scope: tenantScope(
      database,
      { tenantId: cluster.tenantId, actor: 'an enrolling machine' },
      { clusterId: cluster.id },
    ),
  }
}

/** The first hash under which there is a row; as a rule there is one hash. */
async function firstOf<Row>(hashes: Hashes, find: (hash: TokenHash) => Promise<Row | null>) {
  for (const hash of hashes) {
    const row = await find(hash)
    if (row !== null) return { row, hash }
  }
  return null
}

async function jwtSession({ database, credentials, jwts }: Means, jwt: string): Promise<Session> {
  const claims = await jwts.verify(jwt)
  if (!claims) return anonymous
  const { subject, expiresAt } = claims
  if (claims.role === 'operator')
    return { kind: 'operator', subject, expiresAt, scope: operatorScope(database, `operator ${subject}`) }
  // A JWT outlives its tenant; whoever holds one of a deleted tenant is nobody.
  if (!(await credentials.tenantExists(claims.tenantId))) return anonymous
  return {
    kind: 'tenantAdmin',
    role: claims.role,
    subject,
    expiresAt,
    scope: tenantScope(database, { tenantId: claims.tenantId, actor: `${claims.role} ${subject}` }),
  }
}
