// What each peer does before it answers: the checks that Orrery makes of a node's token or a person's JWT.
import { createHmac, timingSafeEqual } from 'node:crypto'
import { jwtVerify } from 'jose'

export function authenticator(data, keys) {
  const tokenKey = Buffer.from(keys.tokenHash, 'hex')
  const jwtKey = Buffer.from(keys.jwt, 'hex')
  return async (authorization) => {
    const credential = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
    if (!credential) return null
    if (credential.startsWith('orn_')) {
      const hash = createHmac('sha256', tokenKey).update(credential).digest('hex')
      const node = await data.nodeByTokenHash(hash)
      if (!node || !timingSafeEqual(Buffer.from(node.tokenHash, 'hex'), Buffer.from(hash, 'hex'))) return null
      return { node, tenantId: node.tenantId }
    }
    const checks = { algorithms: ['HS256'], issuer: 'orrery', audience: 'orrery' }
    const { payload } = await jwtVerify(credential, jwtKey, checks)
    if (payload.orrery_role === 'operator') return { tenantId: null }
    return (await data.tenantExists(payload.orrery_tenant)) ? { tenantId: payload.orrery_tenant } : null
  }
}
