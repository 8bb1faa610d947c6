import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import type { Scope } from '../../src/auth/scope.ts'
import type { Node } from '../../src/db/client/types.ts'
import type { Row, Window } from '../../src/db/reads/pages.ts'
import {
  listClusterNodes,
  listNodes,
  listNodesOfAll,
  type NodeFilter,
  type NodeOrder,
} from '../../src/domain/nodes/nodes.ts'
import type { KeyValue, List } from '../../src/domain/shared/pages.ts'
import { engines } from '../support/database.ts'
import { openLists, type Lists } from '../support/lists.ts'

const fieldsOfOrder = [
  'name',
  'createdAt',
  'lastSeenAt',
  'overlayIp',
  'runningConfigVersion',
  'certificateExpiresAt',
] as const
const orders: NodeOrder[] = fieldsOfOrder.flatMap((field) => [
  { field, direction: 'asc' },
  { field, direction: 'desc' },
])

/** A generator of the same numbers in every run: 0 to `below`. */
function numbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648
    return Math.floor((state / 2_147_483_648) * below)
  }
}

const now = Date.now()
const hour = 3_600_000
const fields = ['id', ...fieldsOfOrder]

describe.each(engines)('the lists of nodes on %s', (engine) => {
  let lists: Lists
  let nodes: Node[]
  beforeAll(async () => {
    lists = await openLists(engine)
    const { client } = lists.database
    const random = numbers(42)
    const pick = <T>(...values: T[]): T => values[random(values.length)] as T
    for (const { id, clusterId, name } of await client.node.findMany({
      orderBy: [{ clusterId: 'asc' }, { name: 'asc' }],
    })) {
      const at = lists.clusterIds.indexOf(clusterId)
      const data = {
        overlayIp: pick(`10.0.${random(3)}.${random(256)}`, `9.${random(256)}.0.${name.length}`, randomUUID()),
        createdAt: new Date(now - random(5) * hour),
        lastSeenAt: pick(null, new Date(now), new Date(now - random(4) * hour)),
        certificate: pick(null, 'signed', 'signed', 'signed'),
        certificateExpiresAt: pick(null, new Date(now - hour), new Date(now + random(4) * hour)),
        runningConfigVersion: pick(null, 1, 11, 101),
        lastError: pick(null, null, 'no'),
        blockedAt: pick(null, null, null, new Date(now)),
        nebulaVersion: pick(null, '1.9.3', '1.10.0'),
        groups: pick([], ['web'], ['db'], ['web', 'db'], ["o'clock"]),
        labels: pick({}, { site: 'a' }, { site: 'a', rack: '$.x' }, { '$.site': 'a' }),
        description: pick(null, 'Rack 100%', `of cluster ${at}`),
        isAdmin: pick(true, false),
        isRelay: pick(true, false, false),
        routes: pick([], ['192.168.0.0/24']),
      }
      // Two nodes of a cluster may have drawn the same address.
      await client.node.update({ where: { id }, data }).catch(async () => {
        await client.node.update({ where: { id }, data: { ...data, overlayIp: `10.9.${random(200)}.${random(200)}` } })
      })
    }
    nodes = await client.node.findMany()
  }, 120_000)
  afterAll(() => lists.close())

  const valueOf = (row: Row, field: string): KeyValue => (row[field] ?? null) as KeyValue
  const numberOf = (ip: string) =>
    /^\d+\.\d+\.\d+\.\d+$/.test(ip) ? ip.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) : -1

  /** As the order is described: null first, addresses as numbers, texts by their bytes. */
  function compare(field: string, a: Row, b: Row): number {
    const [one, other] = [valueOf(a, field), valueOf(b, field)]
    if (field === 'overlayIp') return numberOf(String(one)) - numberOf(String(other))
    if (typeof one === 'string' && typeof other === 'string')
      return Buffer.compare(Buffer.from(one), Buffer.from(other))
    return Number(one ?? -1) - Number(other ?? -1)
  }
  const sorted = (rows: readonly Node[], { field, direction }: NodeOrder, last: string): string[] => {
    const ascending = rows.toSorted((a, b) => compare(field, { ...a }, { ...b }) || compare(last, { ...a }, { ...b }))
    return (direction === 'asc' ? ascending : ascending.reverse()).map(({ id }) => id)
  }

  async function walk(scope: Scope, list: List, inverted: boolean): Promise<string[]> {
    const ids: string[] = []
    for (let key: KeyValue[] | null = null; ;) {
      const window: Window = { after: inverted ? null : key, before: inverted ? key : null, limit: 7, inverted }
      const page = await scope.read.page(list, { fields, window })
      ids.push(...page.map((row) => String(row['id'])))
      const last = page.at(-1)
      if (!last || page.length < 7) return ids
      key = list.listing.order.map((field) => valueOf(last, field))
    }
  }

  describe.each(orders)('by $field, $direction', (orderBy) => {
    test('page by page, from both ends, they are all nodes of each scope, each once', async () => {
      const [clusterId] = lists.clusterIds
      const ofTenant = nodes.filter(({ tenantId }) => tenantId === lists.tenantIds[0])
      const ofCluster = nodes.filter((node) => node.clusterId === clusterId)
      const walks = [
        [lists.operator(), listNodesOfAll(lists.operator(), {}, orderBy), sorted(nodes, orderBy, 'id')],
        [lists.tenant(), listNodesOfAll(lists.tenant(), {}, orderBy), sorted(ofTenant, orderBy, 'id')],
        [lists.cluster(), listNodesOfAll(lists.cluster(), {}, orderBy), sorted(ofCluster, orderBy, 'name')],
        [lists.tenant(), listClusterNodes(clusterId, {}, orderBy), sorted(ofCluster, orderBy, 'name')],
      ] as const
      for (const [scope, list, wanted] of walks) {
        expect(await walk(scope, list, false)).toEqual(wanted)
        expect(await walk(scope, list, true)).toEqual(wanted.toReversed())
      }
    })

    test('the pages of many clusters are those of each of them', async () => {
      const window = { after: null, before: null, limit: 5, inverted: false }
      const pages = await lists.operator().read.pages(listNodes({}, orderBy), lists.clusterIds, { fields, window })
      for (const id of lists.clusterIds) {
        const page = await lists.operator().read.page(listClusterNodes(id, {}, orderBy), { fields, window })
        expect(pages.get(id)).toEqual(page)
        expect(page).toHaveLength(5)
      }
    })
  })

  /** What each filter means, said a second time. */
  const newest = 101
  const outdated = (node: Node) => (node.runningConfigVersion ?? 0) < newest
  const before = (time: Date | null, when: number) => time !== null && time.getTime() < when
  const failed = (node: Node) =>
    (node.certificateExpiresAt !== null && node.certificateExpiresAt.getTime() <= now) ||
    (node.lastError !== null && outdated(node))
  const unseen = (node: Node, since: number) => node.lastSeenAt === null || before(node.lastSeenAt, since)
  const statusOf = (node: Node) => {
    if (node.blockedAt) return 'BLOCKED'
    if (node.certificate === null) return 'PENDING'
    if (unseen(node, now - hour / 2)) return 'OFFLINE'
    if (failed(node)) return 'FAILING'
    return outdated(node) ? 'OUTDATED' : 'ONLINE'
  }
  const groupsOf = (node: Node) => node.groups as string[]
  const labelsOf = (node: Node) => node.labels as Record<string, string>
  const has = (text: string | null, part: string) => text?.toLowerCase().includes(part.toLowerCase()) ?? false
  const leaves: [NodeFilter, (node: Node) => boolean][] = [
    [{ name: 'B' }, ({ name }) => has(name, 'b')],
    [{ name: '%' }, ({ name }) => has(name, '%')],
    [
      { text: '10' },
      ({ name, description, overlayIp }) => has(name, '10') || has(description, '10') || has(overlayIp, '10'),
    ],
    [{ groups: { anyOf: ['web', "o'clock"] } }, (node) => groupsOf(node).some((one) => one !== 'db')],
    [{ groups: { allOf: ['web', 'db'] } }, (node) => groupsOf(node).length === 2],
    [{ labels: [{ key: 'site', value: 'a' }] }, (node) => labelsOf(node)['site'] === 'a'],
    [{ labels: [{ key: '$.site', value: 'a' }] }, (node) => labelsOf(node)['$.site'] === 'a'],
    [{ isAdmin: true }, ({ isAdmin }) => isAdmin],
    [{ isLighthouse: false }, ({ isLighthouse }) => !isLighthouse],
    [{ isLighthouse: true }, ({ isLighthouse }) => isLighthouse],
    [{ isRelay: true }, ({ isRelay }) => isRelay],
    [{ hasRoutes: true }, ({ routes }) => (routes as string[]).length > 0],
    [{ status: ['BLOCKED', 'ONLINE'] }, (node) => ['BLOCKED', 'ONLINE'].includes(statusOf(node))],
    [{ status: ['OFFLINE', 'FAILING'] }, (node) => ['OFFLINE', 'FAILING'].includes(statusOf(node))],
    [{ status: ['PENDING', 'OUTDATED'] }, (node) => ['PENDING', 'OUTDATED'].includes(statusOf(node))],
    [{ unseenSince: new Date(now - hour / 2) }, (node) => unseen(node, now - hour / 2)],
    [{ certificateExpiresBefore: new Date(now + hour) }, (node) => before(node.certificateExpiresAt, now + hour)],
    [{ nebulaVersion: '1.9.3' }, ({ nebulaVersion }) => nebulaVersion === '1.9.3'],
    [{ outdated: true }, outdated],
    [{ failing: true }, (node) => node.certificate !== null && failed(node)],
  ]

  test('a filter, and any combination of filters, lists what it says, in each order and scope', async () => {
    const random = numbers(7)
    const leaf = () => leaves[random(leaves.length)] ?? [{}, () => true]
    const grow = (depth: number): [NodeFilter, (node: Node) => boolean] => {
      if (depth === 0) return leaf()
      const [[a, isA], [b, isB]] = [grow(depth - 1), grow(depth - 1)]
      const [own, isOwn] = leaf()
      const forms: [NodeFilter, (node: Node) => boolean][] = [
        [{ and: [a, b] }, (node) => isA(node) && isB(node)],
        [{ or: [a, b] }, (node) => isA(node) || isB(node)],
        [{ not: a }, (node) => !isA(node)],
        [{ ...own, or: [a, b] }, (node) => isOwn(node) && (isA(node) || isB(node))],
        [{ ...own, not: b }, (node) => isOwn(node) && !isB(node)],
      ]
      return forms[random(forms.length)] ?? [{}, () => true]
    }
    const filters = [
      ...leaves,
      ...leaves.map(([filter, is]): [NodeFilter, (node: Node) => boolean] => [{ not: filter }, (node) => !is(node)]),
      ...Array.from({ length: 60 }, () => grow(1 + random(2))),
    ]
    const met = new Set<number>()
    for (const [filter, is] of filters) {
      const orderBy = orders[random(orders.length)] ?? { field: 'name', direction: 'asc' }
      const wanted = nodes.filter(is)
      met.add(Math.sign(wanted.length) + Math.sign(nodes.length - wanted.length))
      const operator = lists.operator()
      const all = listNodesOfAll(operator, filter, orderBy)
      expect({ filter, orderBy, ids: await walk(operator, all, random(2) === 1) }).toMatchObject({ filter, orderBy })
      expect({ filter, ids: await walk(operator, all, false) }).toEqual({ filter, ids: sorted(wanted, orderBy, 'id') })
      expect(await operator.read.count(all)).toBe(wanted.length)
      const [clusterId] = lists.clusterIds
      const own = wanted.filter((node) => node.clusterId === clusterId)
      const list = listClusterNodes(clusterId, filter, orderBy)
      expect({ filter, ids: await walk(lists.tenant(), list, false) }).toEqual({
        filter,
        ids: sorted(own, orderBy, 'name'),
      })
      const counts = await lists.tenant().read.counts(listNodes(filter, orderBy), lists.clusterIds)
      expect(counts.get(clusterId) ?? 0).toBe(own.length)
    }
    expect(met.has(2)).toBe(true)
  })
})
