import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import type { Scope } from '../../src/auth/scope.ts'
import { columns } from '../../src/db/client/columns.ts'
import type { Window } from '../../src/db/reads/pages.ts'
import { listClusters } from '../../src/domain/clusters/clusters.ts'
import { listConfigBundles } from '../../src/domain/bundles/config-bundles.ts'
import { listClusterNodes, listNodes } from '../../src/domain/nodes/nodes.ts'
import { listTenants } from '../../src/domain/tenants/tenants.ts'
import { engines } from '../support/database.ts'
import { openLists, type Lists } from '../support/lists.ts'
import { planOf } from '../support/plans.ts'

const whole: Window = { after: null, before: null, limit: 10_000, inverted: false }

describe.each(engines)('the SQL of pages on %s', (engine) => {
  let lists: Lists
  beforeAll(async () => {
    lists = await openLists(engine)
  })
  beforeEach(() => void lists.takeStatements())
  afterAll(() => lists.close())

  describe('every statement carries the scope’s own condition', () => {
    const place = engine === 'sqlite' ? '\\?' : '\\$\\d+'
    const reads: readonly (readonly [string, (scope: Scope) => Promise<unknown>])[] = [
      ['page', (scope) => scope.read.page(listNodes(), { fields: ['name'], window: whole })],
      [
        'pagesByParent',
        (scope) => scope.read.pages(listNodes(), lists.clusterIds, { fields: ['name'], window: whole }),
      ],
      ['count', (scope) => scope.read.count(listNodes())],
      ['countByParent', (scope) => scope.read.counts(listNodes(), lists.clusterIds)],
    ]
    test.each(reads)('%s', async (_name, read) => {
      await read(lists.cluster())
      await read(lists.tenant())
      await read(lists.operator())
      const statements = lists.takeStatements()
      expect(statements).toHaveLength(3)
      const [ofCluster = '', ofTenant = '', ofAll = ''] = statements
      expect(ofCluster).toMatch(new RegExp(`x\\.tenant_id = ${place} AND x\\.cluster_id = ${place}`))
      expect(ofTenant).toMatch(new RegExp(`x\\.tenant_id = ${place}`))
      expect(ofAll).not.toMatch(new RegExp(`x\\.tenant_id = ${place}`))
    })

    test.each([
      ['tenants', listTenants, 'id', 'id'],
      ['clusters', listClusters, 'tenant_id', 'id'],
      ['config_bundles', listConfigBundles, 'tenant_id', 'cluster_id'],
    ] as const)('a page of %s', async (table, makeList, tenantColumn, clusterColumn) => {
      await lists.cluster().read.page(makeList(), { fields: makeList().listing.order, window: whole })
      const [statement] = lists.takeStatements()
      const conditions = table === 'tenants' ? [tenantColumn] : [tenantColumn, clusterColumn]
      for (const column of conditions) expect(statement).toMatch(new RegExp(`x\\.${column} = ${place}`))
    })
  })

  describe('what is read', () => {
    test('a list of versions never names the column that holds the archive, nor all columns', async () => {
      const fields = Object.keys(columns.config_bundles)
      await lists.cluster().read.page(listConfigBundles(), { fields, window: whole })
      await lists.tenant().read.pages(listConfigBundles(), lists.clusterIds, { fields, window: { ...whole, limit: 1 } })
      const statements = lists.takeStatements()
      expect(statements).toHaveLength(2)
      for (const statement of statements) {
        expect(statement).toContain('config_bundles')
        expect(statement).not.toMatch(/\bdata\b/)
        expect(statement).not.toMatch(/\*/)
      }
    })

    test('a field that no list may read is refused before anything is asked', async () => {
      for (const field of ['data', 'constructor', 'name; DROP TABLE nodes']) {
        await expect(lists.tenant().read.page(listConfigBundles(), { fields: [field], window: whole })).rejects.toThrow(
          'no field',
        )
      }
      expect(lists.takeStatements()).toEqual([])
    })

    test('nodes and versions are read along an index, never by looking at all of them', async () => {
      const window = { ...whole, limit: 5 }
      const after = { ...window, after: ['b'] }
      for (const scope of [lists.operator(), lists.tenant(), lists.cluster()]) {
        await scope.read.page(listClusterNodes(lists.clusterIds[0]), { fields: ['id', 'name'], window: after })
        await scope.read.page(listClusterNodes(lists.clusterIds[0], { isLighthouse: true }), {
          fields: ['id', 'name'],
          window: after,
        })
        await scope.read.pages(listNodes(), lists.clusterIds, { fields: ['id', 'name'], window: after })
        await scope.read.pages(listConfigBundles(), lists.clusterIds, { fields: ['version', 'size'], window })
        await scope.read.count(listClusterNodes(lists.clusterIds[0]))
        await scope.read.counts(listNodes(), lists.clusterIds)
        await scope.read.counts(listConfigBundles(), lists.clusterIds)
      }
      const ran = lists.takeStatements()
      expect(ran).toHaveLength(21)
      for (const statement of ran) expect(await planOf(lists.database, statement)).not.toMatch(/\bSCAN\b|Seq Scan/)
    })
  })
})
