import { createHmac, timingSafeEqual } from 'node:crypto'

import type { Driver } from './sql-driver.ts'

export interface Caller {
  /** Empty for an operator, who belongs to no tenant. */
  readonly tenantId: string
  /** A node's cluster. */
  readonly clusterId: string | null
  readonly nodeId: string | null
}

/** Recognises nodes by token and people by HS256 JWT, with the checks that Orrery makes; null for anyone else. */
export function authenticator({ run }: Driver, keys: { readonly tokenHash: string; readonly jwt: string }) {
  const [tokenKey, jwtKey] = [Buffer.from(keys.tokenHash, 'hex'), Buffer.from(keys.jwt, 'hex')]

  const ofNode = async (token: string): Promise<Caller | null> => {
    const hash = createHmac('sha256', tokenKey).update(token).digest('hex')
    const [row] = await run('SELECT id, tenant_id, cluster_id, token_hash FROM nodes WHERE token_hash = $1', hash)
    if (!row || !timingSafeEqual(Buffer.from(String(row['token_hash']), 'hex'), Buffer.from(hash, 'hex'))) return null
    return { tenantId: String(row['tenant_id']), clusterId: String(row['cluster_id']), nodeId: String(row['id']) }
  }

  const ofPerson = async (jwt: string): Promise<Caller | null> => {
    const [header = '', payload = '', signature = ''] = jwt.split('.')
    const expected = createHmac('sha256', jwtKey).update(`${header}.${payload}`).digest()
    const given = Buffer.from(signature, 'base64url')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    if (claims['iss'] !== 'orrery' || claims['aud'] !== 'orrery' || Number(claims['exp']) < Date.now() / 1000)
      return null
    if (claims['orrery_role'] === 'operator') return { tenantId: '', clusterId: null, nodeId: null }
    const tenantId = String(claims['orrery_tenant'])
    const [tenant] = await run('SELECT id FROM tenants WHERE id = $1', tenantId)
    return tenant ? { tenantId, clusterId: null, nodeId: null } : null
  }

  return async (authorization: string | undefined): Promise<Caller | null> => {
    const credential = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (credential === undefined) return null
    return credential.startsWith('orn_') ? ofNode(credential) : ofPerson(credential)
  }
}
