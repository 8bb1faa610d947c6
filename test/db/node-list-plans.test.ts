import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { operatorScope, tenantScope } from '../../src/auth/make-scope.ts'
import type { Scope } from '../../src/auth/scope.ts'
import { listClusterNodes, listNodes, listNodesOfAll, type NodeOrder } from '../../src/domain/nodes/nodes.ts'
import type { KeyValue, List } from '../../src/domain/shared/pages.ts'
import { engines } from '../support/database.ts'
import { insertFleet, type Fleet } from '../support/fleet.ts'
import { openFreshDatabase } from '../support/tenants.ts'

const fields = ['name', 'createdAt', 'lastSeenAt', 'overlayIp', 'runningConfigVersion', 'certificateExpiresAt'] as const
const count = 100_000

describe.each(engines)('the plans of lists of 100 000 nodes on %s', (engine) => {
  let opened: Awaited<ReturnType<typeof openFreshDatabase>>
  let fleet: Fleet
  let statements: string[] = []
  beforeAll(async () => {
    opened = await openFreshDatabase(engine, (sql) => statements.push(sql))
    fleet = await insertFleet(opened.database, count)
  }, 300_000)
  afterAll(() => opened.close())

  const operator = () => operatorScope(opened.database, 'a test')
  const tenant = () => tenantScope(opened.database, { tenantId: fleet.tenantId, actor: 'a test' })

  /** How the engine reads a page after a row, with its real values; and that there is a page. */
  async function planOf(read: (after: KeyValue[] | null) => Promise<KeyValue[]>): Promise<string> {
    const after = await read(null)
    statements = []
    await read(after)
    const [statement = '', ...others] = statements
    expect(others).toEqual([])
    const { client } = opened.database
    if (engine === 'sqlite') {
      const values = (statement.match(/\?/g) ?? []).map(() => 1)
      const steps = await client.$queryRawUnsafe<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${statement}`, ...values)
      return steps.map(({ detail }) => detail).join('\n')
    }
    const steps = await client.$queryRawUnsafe<{ 'QUERY PLAN': string }[]>(`EXPLAIN (GENERIC_PLAN) ${statement}`)
    return steps.map((step) => step['QUERY PLAN']).join('\n')
  }

  const page = (scope: Scope, list: List) => async (after: KeyValue[] | null) => {
    const window = { after, before: null, limit: 50, inverted: false }
    const rows = await scope.read.page(list, { fields: ['id', ...fields], window })
    expect(rows).toHaveLength(50)
    return list.listing.order.map((field) => (rows.at(-1)?.[field] ?? null) as KeyValue)
  }
  const pages = (scope: Scope, list: List) => async (after: KeyValue[] | null) => {
    const window = { after, before: null, limit: 50, inverted: false }
    const all = await scope.read.pages(list, fleet.clusterIds, { fields: ['id', ...fields], window })
    const rows = all.get(fleet.clusterIds[0]) ?? []
    expect(rows).toHaveLength(50)
    return list.listing.order.map((field) => (rows.at(-1)?.[field] ?? null) as KeyValue)
  }

  const orders = fields.flatMap((field): NodeOrder[] => [
    { field, direction: 'asc' },
    { field, direction: 'desc' },
  ])
  test.each(orders)('by $field, $direction, nothing is sorted and no table is scanned', async (orderBy) => {
    // PostgreSQL has no index for the last contact, which would make each report of a node eight times as expensive.
    if (engine === 'postgresql' && orderBy.field === 'lastSeenAt') {
      await page(tenant(), listClusterNodes(fleet.clusterIds[0], {}, orderBy))(null)
      return
    }
    const ofAll = /idx_nodes_by_/
    const ofCluster = /idx_nodes_cluster_by_|nodes_tenant_id_cluster_id_name_key|idx_nodes_outdated/
    const filter = { groups: { anyOf: ['web'] } }
    const reads: [RegExp, (after: KeyValue[] | null) => Promise<KeyValue[]>][] = [
      [ofAll, page(operator(), listNodesOfAll(operator(), {}, orderBy))],
      [ofAll, page(tenant(), listNodesOfAll(tenant(), {}, orderBy))],
      [ofCluster, page(tenant(), listClusterNodes(fleet.clusterIds[0], {}, orderBy))],
      [ofCluster, page(tenant(), listClusterNodes(fleet.clusterIds[0], filter, orderBy))],
    ]
    for (const [index, read] of reads) {
      const plan = await planOf(read)
      expect(plan).toMatch(index)
      expect(plan).not.toMatch(/TEMP B-TREE|Seq Scan|Sort Key|Bitmap/)
    }
    // The pages of many clusters are put in order in the end; each is read along the index.
    const plan = await planOf(pages(tenant(), listNodes({}, orderBy)))
    expect(plan).toMatch(ofCluster)
    expect(plan).not.toMatch(/SCAN x\b(?! USING)|Seq Scan on nodes/)
  })
})
