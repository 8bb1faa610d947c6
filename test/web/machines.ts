import { randomUUID } from 'node:crypto'

import type { TestApp } from '../support/app.ts'
import { certify } from '../support/certified.ts'
import { mutate } from '../support/mutate.ts'
import { clusterData, nodeData } from '../support/tenants.ts'
import { createNode } from '../support/world.ts'

const day = 86_400_000

/** Reports for the node, as its agent does. */
export const report = (app: TestApp, token: string, status: object) => mutate(app, token, 'reportNodeStatus', status)

/** A cluster with a published version, and nodes in each of the states that there are. */
export async function createMixedCluster(app: TestApp) {
  const { createTenant } = await app.ask<{ createTenant: { tenant: { id: string } } }>(
    app.operator,
    'mutation { createTenant(input: { name: "Acme" }) { ... on CreateTenantPayload { tenant { id } } } }',
  )
  const tenantId = createTenant.tenant.id
  const admin = await app.tenantToken(tenantId)
  const { createCluster } = await app.ask<{ createCluster: { cluster: { id: string } } }>(
    admin,
    'mutation { createCluster(input: { name: "production" }) { ... on CreateClusterPayload { cluster { id } } } }',
  )
  const clusterId = createCluster.cluster.id
  await mutate(app, admin, 'updateCluster', { clusterId, description: 'Everything that customers see.' })
  const create = (name: string, input: object = {}) => createNode(app, admin, { clusterId, name, ...input })
  const labels = [{ key: 'site', value: 'Frankfurt' }]
  const beacon = await create('lighthouse-fra', { isLighthouse: true, lighthousePublicIp: '203.0.113.9' })
  const web = await create('web-1', { groups: ['web', 'all'], routes: ['192.168.7.0/24'], labels })
  const database = await create('database-1', { groups: ['database', 'backup', 'all', 'europe', 'encrypted'] })
  const cache = await create('cache-1')
  const laptop = await create('a-laptop-with-a-name-that-somebody-could-not-end-in-time')
  const stolen = await create('stolen-phone')
  await create('printer')
  for (const { token } of [beacon, web, database, cache]) await certify(app, token)
  await mutate(app, admin, 'blockNodes', { ids: [stolen.id] })
  await app.publish()
  const { cluster } = await app.ask<{ cluster: { latestBundleVersion: number } }>(
    admin,
    'query ($id: UUID!) { cluster(id: $id) { latestBundleVersion } }',
    { id: clusterId },
  )
  const newest = cluster.latestBundleVersion
  for (const { token } of [beacon, web]) {
    await report(app, token, { runningConfigVersion: newest, nebulaVersion: '1.10.3' })
  }
  await report(app, cache.token, { runningConfigVersion: newest - 1 })
  const lastError = 'nebula -test: pki.ca: the file /etc/nebula/ca.crt cannot be read (permission denied)'
  await report(app, database.token, { runningConfigVersion: newest - 1, lastError })
  await app.flush()
  await app.database.client.node.update({
    where: { id: laptop.id },
    data: {
      certificate: 'signed',
      certificateExpiresAt: new Date(Date.now() + 2 * day),
      lastSeenAt: new Date(Date.now() - 3 * day),
      runningConfigVersion: newest,
    },
  })
  return { tenantId, clusterId, admin, newest, cache, laptop }
}

/** A cluster with so many nodes that a page does not hold them: `machine-001` and so on. */
export async function createLargeCluster(app: TestApp, tenantId: string, count: number): Promise<string> {
  const clusterId = randomUUID()
  const { client } = app.database
  await client.cluster.create({ data: clusterData(tenantId, clusterId, 'large') })
  await client.node.createMany({
    data: Array.from({ length: count }, (_, at) => ({
      ...nodeData(tenantId, clusterId, `machine-${String(at + 1).padStart(3, '0')}`),
      overlayIp: `10.42.${Math.floor(at / 250)}.${(at % 250) + 1}`,
    })),
  })
  return clusterId
}
