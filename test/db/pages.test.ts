import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import type { Scope } from '../../src/auth/scope.ts'
import { columns } from '../../src/db/client/columns.ts'
import type { Key, Row, Window } from '../../src/db/reads/pages.ts'
import { listClusters } from '../../src/domain/clusters/clusters.ts'
import { listConfigBundles } from '../../src/domain/bundles/config-bundles.ts'
import { listClusterNodes, listNodes } from '../../src/domain/nodes/nodes.ts'
import type { List } from '../../src/domain/shared/pages.ts'
import { listTenants } from '../../src/domain/tenants/tenants.ts'
import { engines } from '../support/database.ts'
import { openLists, type Lists } from '../support/lists.ts'
import { nodeData } from '../support/tenants.ts'

const whole: Window = { after: null, before: null, limit: 10_000, inverted: false }

describe.each(engines)('pages on %s', (engine) => {
  let lists: Lists
  beforeAll(async () => {
    lists = await openLists(engine)
  })
  afterAll(() => lists.close())

  const fieldsOf = ({ listing }: List) => [...listing.order]
  const keyOf = ({ listing }: List, row: Row): Key => listing.order.map((column) => row[column] as string | number)

  /** Every page from one end of a list to the other; `between` runs after each. */
  async function walk(
    read: (window: Window) => Promise<Row[]>,
    list: List,
    {
      limit = 4,
      inverted = false,
      between,
    }: { limit?: number; inverted?: boolean; between?: (last: Row) => Promise<void> } = {},
  ): Promise<Row[]> {
    const all: Row[] = []
    for (let key: Key | null = null; ;) {
      const page = await read({ after: inverted ? null : key, before: inverted ? key : null, limit, inverted })
      all.push(...page)
      const last = page.at(-1)
      if (!last || page.length < limit) return all
      key = keyOf(list, last)
      await between?.(last)
    }
  }

  const listings: readonly (readonly [string, () => Scope, () => List, () => Promise<object[]>])[] = [
    [
      'all tenants',
      () => lists.operator(),
      listTenants,
      () => lists.database.client.tenant.findMany({ orderBy: { name: 'asc' } }),
    ],
    [
      'all clusters, some of the same name',
      () => lists.operator(),
      listClusters,
      () => lists.database.client.cluster.findMany({ orderBy: [{ name: 'asc' }, { id: 'asc' }] }),
    ],
    [
      'a tenant’s clusters',
      () => lists.tenant(),
      listClusters,
      () =>
        lists.database.client.cluster.findMany({ where: { tenantId: lists.tenantIds[0] }, orderBy: { name: 'asc' } }),
    ],
    [
      'the nodes of a cluster',
      () => lists.tenant(),
      () => listClusterNodes(lists.clusterIds[1]),
      () =>
        lists.database.client.node.findMany({ where: { clusterId: lists.clusterIds[1] }, orderBy: { name: 'asc' } }),
    ],
    [
      'the lighthouses of a cluster',
      () => lists.cluster(),
      () => listClusterNodes(lists.clusterIds[0], { isLighthouse: true }),
      () => {
        const where = { clusterId: lists.clusterIds[0], isLighthouse: true }
        return lists.database.client.node.findMany({ where, orderBy: { name: 'asc' } })
      },
    ],
    [
      'the versions of a cluster, newest first',
      () => lists.cluster(),
      listConfigBundles,
      () => {
        const where = { clusterId: lists.clusterIds[0] }
        return lists.database.client.configBundle.findMany({ where, orderBy: { version: 'desc' } })
      },
    ],
  ]

  describe.each(listings)('%s', (_name, scope, makeList, readAll) => {
    test('page by page, from both ends and in pages of every size, they are the whole list', async () => {
      const list = makeList()
      const fields = fieldsOf(list)
      const all = (await readAll()).map((row) => keyOf(list, row as Row))
      expect(all.length).toBeGreaterThan(2)
      const read = (window: Window) => scope().read.page(list, { fields, window })
      for (const limit of [1, 2, 3, 7, all.length, all.length + 1]) {
        const forwards = await walk(read, list, { limit })
        expect(forwards.map((row) => keyOf(list, row))).toEqual(all)
        const backwards = await walk(read, list, { limit, inverted: true })
        expect(backwards.map((row) => keyOf(list, row))).toEqual(all.toReversed())
      }
      expect(await scope().read.count(list)).toBe(all.length)
    })

    test('between any two of its rows lie those in between', async () => {
      const list = makeList()
      const fields = fieldsOf(list)
      const all = (await readAll()).map((row) => keyOf(list, row as Row))
      const [after = null, before = null] = [all[0], all.at(-1)]
      for (const inverted of [false, true]) {
        const rows = await scope().read.page(list, { fields, window: { after, before, limit: 10_000, inverted } })
        const keys = rows.map((row) => keyOf(list, row))
        expect(inverted ? keys.toReversed() : keys).toEqual(all.slice(1, -1))
      }
    })

    test('a row has the values that Prisma gives it', async () => {
      const list = makeList()
      const fields = Object.keys(columns[list.listing.table])
      const rows = await scope().read.page(list, { fields, window: whole })
      const wanted = (await readAll()).map((row) => {
        const known = row as Row
        return Object.fromEntries(fields.map((field) => [field, known[field]]))
      })
      expect(rows).toEqual(wanted)
    })
  })

  test('rows that come and go between two pages move no other row out of sight, and show none twice', async () => {
    const { client } = lists.database
    const list = listClusterNodes(lists.clusterIds[2])
    const fields = ['id', 'name']
    const before = await client.node.findMany({ where: { clusterId: lists.clusterIds[2] } })
    const shownAndDeleted: string[] = []
    const shown = await walk((window) => lists.tenant().read.page(list, { fields, window }), list, {
      between: async (last) => {
        // The very row that the next page is asked for by; one far behind it, and one in front.
        await client.node.delete({ where: { id: String(last['id']) } })
        shownAndDeleted.push(String(last['name']))
        const data = [
          `!${shownAndDeleted.length}`,
          `${String(last['name'])} and more`,
          `\u{10ffff}${shownAndDeleted.length}`,
        ]
        await client.node.createMany({
          data: data.map((name) => nodeData(lists.tenantIds[0], lists.clusterIds[2], name)),
        })
      },
    })
    const seen = shown.map(({ name }) => String(name))
    expect(new Set(seen).size).toBe(seen.length)
    expect(before.map(({ name }) => name).filter((name) => !seen.includes(name))).toEqual([])
    expect(seen.filter((name) => name.startsWith('!'))).toEqual([])
    expect(seen.filter((name) => name.endsWith(' and more'))).toEqual(shownAndDeleted.map((name) => `${name} and more`))
  })

  const byParent: readonly (readonly [string, () => List, () => readonly string[], (id: string) => List])[] = [
    ['nodes', listNodes, () => lists.clusterIds, listClusterNodes],
    [
      'lighthouses',
      () => listNodes({ isLighthouse: true }),
      () => lists.clusterIds,
      (id) => listClusterNodes(id, { isLighthouse: true }),
    ],
    ['clusters', listClusters, () => lists.tenantIds, (tenantId) => listClusters({ tenantId })],
  ]
  describe.each(byParent)('the %s of many parents in one statement', (_name, makeList, parents, listOf) => {
    test('are the same pages as parent by parent, in both directions, and as many', async () => {
      const list = makeList()
      const fields = ['id', 'createdAt', 'name']
      const middle = (await lists.operator().read.page(listOf(parents()[0] ?? ''), { fields, window: whole }))[1]
      for (const scope of [lists.operator(), lists.tenant(), lists.cluster()]) {
        for (const inverted of [false, true]) {
          const key = keyOf(list, middle ?? {})
          for (const [after, before] of [
            [null, null],
            [key, null],
            [null, key],
          ] as const) {
            const window = { after, before, limit: 3, inverted }
            lists.takeStatements()
            const pages = await scope.read.pages(list, parents(), { fields, window })
            expect(lists.takeStatements()).toHaveLength(1)
            expect([...pages.keys()]).toEqual(parents())
            for (const [id, page] of pages) {
              expect(page).toEqual(await scope.read.page(listOf(id), { fields, window }))
            }
          }
        }
        const counts = await scope.read.counts(list, parents())
        for (const id of parents()) expect(counts.get(id) ?? 0).toBe(await scope.read.count(listOf(id)))
      }
    })

    test('of no parents are none, without asking', async () => {
      lists.takeStatements()
      expect(await lists.operator().read.pages(makeList(), [], { fields: ['id'], window: whole })).toEqual(new Map())
      expect(await lists.operator().read.counts(makeList(), [])).toEqual(new Map())
      expect(lists.takeStatements()).toEqual([])
    })
  })

  test('the versions of many clusters in one statement, each with its own newest, and none of another tenant', async () => {
    const window = { after: [100], before: [2], limit: 3, inverted: false }
    const pages = await lists.tenant().read.pages(listConfigBundles(), lists.clusterIds, {
      fields: ['version', 'clusterId'],
      window,
    })
    for (const [index, id] of lists.clusterIds.entries()) {
      const page = [11, 10, 9].map((version) => ({ version, clusterId: id }))
      expect(pages.get(id)).toEqual(index < 3 ? page : [])
    }
    const counts = await lists.cluster().read.counts(listConfigBundles(), lists.clusterIds)
    expect([...counts]).toEqual([[lists.clusterIds[0], 8]])
  })
})
