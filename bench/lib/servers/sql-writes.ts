import { createHmac, randomBytes, randomUUID } from 'node:crypto'

import type { Caller } from './sql-authentication.ts'
import type { Driver, Run } from './sql-driver.ts'

/** The write operations: the version's bump, the change and its audit line in one transaction, as Orrery does. */
export function writes({ engine, transaction }: Driver, tokenKey: string) {
  const key = Buffer.from(tokenKey, 'hex')
  const now = () => (engine === 'sqlite' ? new Date().toISOString().replace('Z', '+00:00') : new Date().toISOString())

  const bump = async (run: Run, tenantId: string, clusterId: string) => {
    const sql =
      'UPDATE clusters SET config_version = config_version + 1 WHERE tenant_id = $1 AND id = $2 ' +
      'RETURNING next_overlay_ip, pending_changes'
    const [cluster] = await run(sql, tenantId, clusterId)
    if (!cluster) throw new Error('no such cluster')
    const pending = cluster['pending_changes'] as string | null
    return { nextOverlayIp: cluster['next_overlay_ip'] as string | null, pending }
  }

  const createNode = (tenantId: string, { clusterId, name }: { clusterId: string; name: string }) => {
    const token = `orn_${randomBytes(32).toString('base64url')}`
    const hash = createHmac('sha256', key).update(token).digest('hex')
    return transaction(async (run) => {
      const { nextOverlayIp, pending } = await bump(run, tenantId, clusterId)
      let address = nextOverlayIp === null ? firstAddress : numberOf(nextOverlayIp)
      const taken = 'SELECT 1 AS taken FROM nodes WHERE cluster_id = $1 AND overlay_ip = $2'
      while ((await run(taken, clusterId, textOf(address))).length > 0) address += 1
      const id = randomUUID()
      const overlayIp = textOf(address)
      await run(
        'INSERT INTO nodes (id, tenant_id, cluster_id, name, token_hash, routes, groups, overlay_ip, created_at) ' +
          "VALUES ($1, $2, $3, $4, $5, '[]', '[]', $6, $7)",
        ...[id, tenantId, clusterId, name, hash, overlayIp, now()],
      )
      await run(
        'UPDATE clusters SET next_overlay_ip = $1, pending_changes = $2 WHERE id = $3',
        ...[textOf(address + 1), withLine(pending, `${name}: created`), clusterId],
      )
      return { createNode: { node: { id, name, overlayIp }, token } }
    })
  }

  const setRoutes = (caller: Caller, { nodeId, routes }: { nodeId: string; routes: readonly string[] }) =>
    transaction(async (run) => {
      const clusterId = caller.clusterId ?? ''
      const { pending } = await bump(run, caller.tenantId, clusterId)
      const sql =
        'UPDATE nodes SET routes = $1::jsonb, routes_updated_at = $2 WHERE id = $3 AND cluster_id = $4 RETURNING id'
      const [node] = await run(sql, JSON.stringify(routes), now(), nodeId, clusterId)
      if (!node) throw new Error('no such node')
      const line = withLine(pending, `${nodeId}: routes`)
      await run('UPDATE clusters SET pending_changes = $1 WHERE id = $2', line, clusterId)
      return { updateNodeRoutes: { node: { routes } } }
    })

  return { createNode, setRoutes }
}

const withLine = (pending: string | null, line: string): string =>
  pending === null ? line : pending.length + line.length < 4000 ? `${pending}\n${line}` : pending

/** The first address of 10.0.0.0/8. */
const firstAddress = 0x0a000001
const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
const textOf = (value: number): string => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.')
