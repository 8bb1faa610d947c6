import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

/** Which way SQLite takes; PostgreSQL decides by its statistics. */
describe('the indexes that queries about nodes go along', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'own', randomUUID())
  })
  afterAll(() => app.close())

  /** The plans of the statements on nodes that a query runs. */
  const plansOf = async (token: string, query: string): Promise<string[]> => {
    app.takeStatements()
    await app.ask(token, query, { id: world.clusterId })
    const onNodes = app.takeStatements().filter((sql) => /\bnodes`? /.test(sql))
    expect(onNodes).not.toEqual([])
    const plans = onNodes.map(async (sql) => {
      const values = Array.from({ length: sql.split('?').length - 1 }, () => 'x')
      const query = `EXPLAIN QUERY PLAN ${sql}`
      const steps = await app.database.client.$queryRawUnsafe<{ detail: string }[]>(query, ...values)
      return steps.map(({ detail }) => detail).join('\n')
    })
    return Promise.all(plans)
  }
  const page = (filter = '') =>
    `query ($id: UUID!) { nodes(clusterId: $id, after: "${Buffer.from('["a"]').toString('base64url')}" ${filter}) { nodes { name } } }`

  test.each(['operator', 'viewer', 'node'])(
    'a page for the %s walks (tenant, cluster, name) without a sort',
    async (who) => {
      const token = { operator: app.operator, viewer: world.viewer, node: world.nodeToken }[who] ?? ''
      const plans = await plansOf(token, page())
      const [list] = plans.slice(-1)
      expect(list).toMatch(
        /USING INDEX (nodes_tenant_id_cluster_id_name_key|idx_nodes_outdated) \(tenant_id=\? AND cluster_id=\? AND name>\?\)/,
      )
      expect(list).not.toMatch(/TEMP B-TREE/)
    },
  )

  test.each([
    ['isLighthouse', 'idx_nodes_lighthouse'],
    ['isRelay', 'idx_nodes_relay'],
  ])('%s reads %s, on both ways to it, and to count', async (flag, index) => {
    const [root] = (await plansOf(world.viewer, page(`filter: { ${flag}: true }`))).slice(-1)
    expect(root).toContain(`USING INDEX ${index} (cluster_id=?)`)
    const edge = `query ($id: UUID!) { cluster(id: $id) { nodes(filter: { ${flag}: true }) { totalCount nodes { name } } } }`
    for (const plan of await plansOf(world.viewer, edge))
      expect(plan).toMatch(new RegExp(`INDEX ${index} \\(cluster_id=\\?\\)`))
  })

  test('enrolling looks up names, keys and addresses along their unique indexes, however many nodes there are', async () => {
    app.takeStatements()
    const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
    await mutate(app, world.clusterToken, 'enrollNode', { name: 'new', publicKey })
    const lookUps = app.takeStatements().filter((sql) => sql.startsWith('SELECT') && /\bnodes` /.test(sql))
    expect(lookUps).toHaveLength(3)
    for (const [index, column] of ['name', 'public_key', 'overlay_ip'].entries()) {
      const sql = lookUps[index] ?? ''
      const values = Array.from({ length: sql.split('?').length - 1 }, () => 'x')
      const steps = await app.database.client.$queryRawUnsafe<{ detail: string }[]>(
        `EXPLAIN QUERY PLAN ${sql}`,
        ...values,
      )
      expect(steps[0]?.detail).toContain(`(tenant_id=? AND cluster_id=? AND ${column}=?)`)
    }
  })

  test('signing in reads idx_nodes_token_hash', async () => {
    const [signIn] = await plansOf(world.nodeToken, 'query ($id: UUID!) { cluster(id: $id) { id } }')
    expect(signIn).toMatch(/^SEARCH \S+ USING INDEX idx_nodes_token_hash \(token_hash=\?\)/)
  })
})
