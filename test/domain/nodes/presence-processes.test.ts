import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { mintJwt } from '../../../src/auth/jwt.ts'
import { deriveKeys } from '../../../src/auth/keys.ts'
import { openDatabase, type Database } from '../../../src/db/client/client.ts'
import { clientOf } from '../../support/client.ts'
import { createMigratedDatabase, engines, type TestDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { orrery } from '../../support/orrery-process.ts'
import { createNode } from '../../support/world.ts'

const secret = 'of this test alone: 0123456789abcdef'

describe.each(engines)('a server that ends on %s', (engine) => {
  let files: TestDatabase
  let database: Database
  let folder: string
  let server: ReturnType<typeof orrery>
  let nodes: { id: string; token: string }[]
  let url = ''
  const { ask } = clientOf((path, init) => fetch(new URL(path, url), init))

  const start = async () => {
    const environment = { DATABASE_URL: files.url, ORRERY_SECRET: secret, ORRERY_DATA_DIR: folder }
    server = orrery(['serve'], environment)
    ;({ url } = await server.ready())
  }
  const report = (token: string, runningConfigVersion: number) =>
    ask(
      token,
      `mutation ($input: ReportNodeStatusInput!) { reportNodeStatus(input: $input) { __typename ... on Error { message } } }`,
      { input: { runningConfigVersion, lastError: `of ${runningConfigVersion}` } },
    )
  const versions = async () => {
    const rows = await database.client.node.findMany({ where: { id: { in: nodes.map(({ id }) => id) } } })
    const byId = new Map(rows.map(({ id, runningConfigVersion }) => [id, runningConfigVersion]))
    return nodes.map(({ id }) => byId.get(id))
  }
  const allRun = (wanted: number) =>
    eventually(`all have reported ${wanted}`, versions, (seen) => seen.every((version) => version === wanted))

  beforeEach(async () => {
    files = await createMigratedDatabase(engine)
    database = await openDatabase(files.url, { poolSize: 2 })
    folder = await mkdtemp(join(tmpdir(), 'orrery-presence-'))
    await start()
    const operator = await mintJwt(deriveKeys(secret).jwt, { role: 'operator' }, { subject: 'olga', lifetime: 600 })
    const { createTenant } = await ask<{ createTenant: { tenant: { id: string } } }>(
      operator,
      'mutation { createTenant(input: { name: "t" }) { ... on CreateTenantPayload { tenant { id } } } }',
    )
    const { createCluster } = await ask<{ createCluster: { cluster: { id: string } } }>(
      operator,
      `mutation ($id: UUID!) { createCluster(input: { tenantId: $id, name: "c" }) {
        ... on CreateClusterPayload { cluster { id } } } }`,
      { id: createTenant.tenant.id },
    )
    const clusterId = createCluster.cluster.id
    nodes = []
    for (const name of ['a', 'b', 'c', 'd']) nodes.push(await createNode({ ask }, operator, { clusterId, name }))
  })
  afterEach(async () => {
    server.child.kill('SIGKILL')
    await server.ended
    await database.close()
    await files.drop()
    await rm(folder, { recursive: true, force: true })
  })

  test('in order has written every report that it had taken', async () => {
    for (const { token } of nodes) await report(token, 2)
    // Right behind a write: the next one would come a second later.
    await allRun(2)
    await Promise.all(nodes.map(({ token }) => report(token, 3)))
    server.child.kill('SIGTERM')
    expect((await server.ended).code).toBe(0)
    expect(await versions()).toEqual([3, 3, 3, 3])
  })

  test('by SIGKILL loses what it took since its last write and no more, and what agents say again is kept', async () => {
    for (const { token } of nodes) await report(token, 2)
    await allRun(2)
    for (const { token } of nodes) await report(token, 3)
    server.child.kill('SIGKILL')
    await server.ended
    for (const version of await versions()) expect([2, 3]).toContain(version)
    await start()
    for (const { token } of nodes) await report(token, 4)
    await allRun(4)
  })
})
