import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import type { Db } from '../../src/db/client/types.ts'
import { engines } from '../support/database.ts'
import { bundleData, clusterData, nodeData, openTwoTenants, outcome, type TwoTenants } from '../support/tenants.ts'

/**
 * Ways round a condition that is added to every operation, each known from Prisma's own features. What is refused
 * throws ScopeError: no code of Orrery's does it, and an attempt shall be noticed.
 */
describe.each(engines)('no way round the scope on %s', (engine) => {
  let world: TwoTenants
  beforeAll(async () => {
    world = await openTwoTenants(engine)
  })
  afterAll(() => world.close())

  /** Both kinds of scope refuse it, alone and in a transaction, and nothing changed. */
  async function refused(
    work: (db: Pick<Db, 'tenant' | 'cluster' | 'clusterState' | 'node' | 'configBundle'>) => unknown,
  ) {
    const before = await world.allRows()
    const run = (db: Db) => Promise.resolve(work(db))
    for (const client of [world.tenantClient(), world.clusterClient()]) {
      expect(await outcome(run(client))).toBe('ScopeError')
      expect(await outcome(client.$transaction((tx) => run(tx as unknown as Db)))).toBe('ScopeError')
    }
    expect(await world.allRows()).toBe(before)
  }

  describe('rows stay where they are', () => {
    test.each(['tenantId', 'clusterId', 'id'] as const)(
      'update, updateMany and updateManyAndReturn do not write %s',
      async (field) => {
        const { tenantId, clusterId, nodeId } = world.theirs
        const data = { [field]: { tenantId, clusterId, id: randomUUID() }[field] }
        const own = { id: world.ours.nodeId }
        await refused((db) => db.node.update({ where: own, data }))
        await refused((db) => db.node.updateMany({ data }))
        await refused((db) => db.node.updateManyAndReturn({ where: { id: { in: [nodeId, own.id] } }, data }))
      },
    )

    test('a cluster does not change hands', async () => {
      const where = { id: world.ours.clusterId }
      await refused((db) => db.cluster.update({ where, data: { tenantId: world.theirs.tenantId } }))
      await refused((db) => db.cluster.update({ where, data: { tenantId: { set: world.theirs.tenantId } as never } }))
      await refused((db) => db.cluster.updateMany({ data: { tenantId: undefined as never } }))
    })

    test('a bundle is written in nobody else’s name, neither at first nor later', async () => {
      const { ours, theirs } = world
      const { tenantId, clusterId } = ours
      const key = { tenantId_clusterId_version: { tenantId, clusterId, version: 7 } }
      const author = { createdById: theirs.nodeId }
      await refused((db) => db.configBundle.update({ where: key, data: author }))
      const data = { ...bundleData, tenantId, clusterId, version: 8, ...author }
      await refused((db) => db.configBundle.create({ data }))
      // The tenant's admins are no nodes; a node writes in its own name.
      const own = { ...data, createdById: ours.nodeId }
      expect(await outcome(world.tenantClient().configBundle.create({ data: own }))).toBe('ScopeError')
      expect(await world.clusterClient().configBundle.create({ data: own })).toMatchObject({ createdById: ours.nodeId })
      await world.database.client.configBundle.deleteMany({ where: { version: 8 } })
    })
  })

  describe('writes do not go through relations', () => {
    const nested = (): Record<string, object> => {
      const { tenantId, clusterId, nodeId, name } = world.theirs
      return {
        create: nodeData(tenantId, clusterId, 'new'),
        createMany: { data: [nodeData(tenantId, clusterId, 'new')] },
        connectOrCreate: { where: { id: nodeId }, create: nodeData(tenantId, clusterId, 'new') },
        connect: { id: nodeId },
        disconnect: { id: nodeId },
        set: [{ id: nodeId }],
        update: { where: { id: nodeId }, data: { name: 'taken over' } },
        updateMany: { where: { name }, data: { name: 'taken over' } },
        upsert: { where: { id: nodeId }, create: {}, update: { name: 'taken over' } },
        delete: { id: nodeId },
        deleteMany: {},
      }
    }
    const names = [
      'create',
      'createMany',
      'connectOrCreate',
      'connect',
      'disconnect',
      'set',
      'update',
      'updateMany',
    ] as const
    test.each([...names, 'upsert', 'delete', 'deleteMany'] as const)('%s', async (write) => {
      const nodes = { [write]: nested()[write] } as object
      const own = { id: world.ours.clusterId }
      await refused((db) => db.cluster.update({ where: own, data: { nodes } }))
      await refused((db) => db.cluster.updateMany({ data: { nodes } as never }))
      const data = clusterData(world.ours.tenantId, randomUUID(), 'new')
      await refused((db) => db.cluster.create({ data: { ...data, nodes } }))
      await refused((db) => db.cluster.createMany({ data: [{ ...data, nodes }] as never }))
      await refused((db) => db.cluster.createManyAndReturn({ data: { ...data, nodes } as never }))
    })

    test('a row is not moved by connecting it to another parent', async () => {
      const { tenantId, clusterId: id } = world.theirs
      const cluster = { connect: { tenantId_id: { tenantId, id } } }
      await refused((db) => db.node.update({ where: { id: world.ours.nodeId }, data: { cluster } }))
      const data = nodeData(world.ours.tenantId, world.ours.clusterId, 'new')
      await refused((db) => db.node.create({ data: { ...data, cluster } as never }))
    })

    test('a name that every object has is no column either', async () => {
      await refused((db) => db.node.updateMany({ data: { constructor: 1, toString: 2 } as never }))
    })
  })

  describe('reads do not go through relations', () => {
    test('a cluster’s client does not see the tenant’s other clusters by way of the tenant', async () => {
      const where = { id: world.ours.tenantId }
      await refused((db) => db.tenant.findUnique({ where, include: { clusters: true } }))
      await refused((db) => db.tenant.findMany({ select: { clusters: { select: { name: true } } } }))
      await refused((db) => db.tenant.findMany({ select: { nodes: true } }))
      await refused((db) => db.tenant.findFirst({ include: { _count: { select: { clusters: true } } } }))
      await refused((db) => db.tenant.findFirst({ select: { _count: true } }))
      await refused((db) => db.tenant.findUnique({ where }).clusters())
    })

    test('nor by way of a row of its own, to-one or to-many', async () => {
      const where = { id: world.ours.nodeId }
      await refused((db) => db.node.findUnique({ where, include: { tenant: { include: { clusters: true } } } }))
      await refused((db) => db.node.findMany({ select: { cluster: { select: { tenant: true } } } }))
      await refused((db) => db.node.findUnique({ where }).tenant().nodes())
      await refused((db) => db.clusterState.findMany({ include: { cluster: true } }))
      await refused((db) => db.node.update({ where, data: {}, include: { tenant: true } }))
      await refused((db) => db.node.updateManyAndReturn({ data: {}, include: { cluster: true } }))
      await refused((db) => db.node.delete({ where, select: { cluster: true } }))
    })

    test('a bundle that names a node of another tenant does not show it', async () => {
      const { database, ours, theirs, tenantClient } = world
      const where = { clusterId: ours.clusterId }
      await database.client.configBundle.updateMany({ where, data: { createdById: theirs.nodeId } })
      await refused((db) => db.configBundle.findMany({ include: { createdBy: true } }))
      await refused((db) => db.configBundle.findMany({ select: { createdBy: true } }))
      const [bundle] = await tenantClient().configBundle.findMany({ where, select: { createdById: true } })
      expect(await tenantClient().node.findMany({ where: { id: bundle?.createdById ?? '' } })).toEqual([])
      await database.client.configBundle.updateMany({ where, data: { createdById: ours.nodeId } })
    })

    test('what is switched off or left open is no relation that is loaded', async () => {
      const args = { select: { id: true, tenant: false, cluster: undefined }, include: undefined } as never
      expect(await world.clusterClient().node.findMany(args)).toEqual([{ id: world.ours.nodeId }])
    })
  })

  describe('nobody asks about rows that are not shown', () => {
    test('by a condition on a relation, however deep it stands', async () => {
      const tenant = { clusters: { some: { name: 'sibling' } } }
      await refused((db) => db.node.findMany({ where: { tenant } }))
      await refused((db) => db.node.count({ where: { OR: [{ name: 'x' }, { NOT: { AND: [{ tenant }] } }] } }))
      await refused((db) => db.node.updateMany({ where: { AND: { tenant } }, data: { mtu: 9000 } }))
      await refused((db) => db.node.deleteMany({ where: { NOT: [{ tenant }] } }))
      await refused((db) => db.node.findUnique({ where: { id: world.ours.nodeId, tenant } }))
      await refused((db) => db.node.aggregate({ where: { tenant }, _count: true }))
      await refused((db) => db.configBundle.findMany({ where: { createdBy: { name: 'theirs' } } }))
    })

    test('by the order that a relation gives', async () => {
      await refused((db) => db.node.findMany({ orderBy: { cluster: { name: 'asc' } } }))
      await refused((db) => db.node.findMany({ orderBy: [{ name: 'asc' }, { tenant: { name: 'asc' } }] }))
      await refused((db) => db.cluster.findFirst({ orderBy: { nodes: { _count: 'desc' } } }))
      await refused((db) => db.node.aggregate({ orderBy: { tenant: { clusters: { _count: 'asc' } } }, _count: true }))
    })

    test('by the place of a foreign row among one’s own', async () => {
      const cursor = { id: world.theirs.nodeId }
      await refused((db) => db.node.findMany({ cursor, orderBy: { name: 'asc' } }))
      await refused((db) => db.node.findFirst({ cursor, take: -1 }))
      await refused((db) => db.node.aggregate({ cursor, _count: true }))
      await refused((db) => db.node.count({ cursor }))
    })
  })

  describe('a condition of one’s own does not undo the scope’s', () => {
    test.each([
      ['OR', (id: string) => ({ OR: [{ id }, { name: { not: '' } }] })],
      ['NOT', (id: string) => ({ NOT: { id: { not: id } } })],
      ['NOT of a list', () => ({ NOT: [{ name: 'no such' }] })],
      ['AND', (id: string) => ({ AND: [{ OR: [{ id }] }] })],
      ['AND that is no list', (id: string) => ({ AND: { id } })],
      ['another tenant', () => ({ tenantId: world.theirs.tenantId })],
      ['OR of two tenants', () => ({ OR: [{ tenantId: world.ours.tenantId }, { tenantId: world.theirs.tenantId }] })],
    ])('%s', async (_name, where) => {
      const foreign = [world.sibling.nodeId, world.theirs.nodeId]
      for (const id of foreign) {
        const db = world.clusterClient()
        const condition = where(id)
        const found = await db.node.findMany({ where: condition, select: { id: true } })
        expect(foreign.filter((one) => found.some((row) => row.id === one))).toEqual([])
        const before = await world.allRows(world.ours)
        await db.node.updateMany({ where: condition, data: { mtu: 1400 } })
        expect(await world.allRows(world.ours)).toBe(before)
        expect(await db.node.findUnique({ where: { ...condition, id } })).toBeNull()
      }
    })

    test('every key of several columns is met by the condition', async () => {
      const db = world.clusterClient()
      for (const { tenantId, clusterId, name, instanceId } of [world.sibling, world.theirs]) {
        const { overlayIp } = await world.database.client.node.findFirstOrThrow({ where: { clusterId } })
        expect(await db.cluster.findUnique({ where: { tenantId_name: { tenantId, name } } })).toBeNull()
        expect(await db.cluster.findUnique({ where: { tenantId_id: { tenantId, id: clusterId } } })).toBeNull()
        expect(
          await db.node.findUnique({ where: { tenantId_clusterId_overlayIp: { tenantId, clusterId, overlayIp } } }),
        ).toBeNull()
        const node = { tenantId_clusterId_name: { tenantId, clusterId, name } }
        expect(await db.node.findUnique({ where: node })).toBeNull()
        const state = { clusterId_instanceId: { clusterId, instanceId } }
        expect(await db.clusterState.findUnique({ where: state })).toBeNull()
      }
      const { tenantId, clusterId, name } = world.ours
      expect(await db.cluster.findUnique({ where: { tenantId_name: { tenantId, name } } })).toMatchObject({
        id: clusterId,
      })
    })

    test('groups, distinct rows and left out columns count one’s own rows', async () => {
      const db = world.clusterClient()
      const groups = await db.node.groupBy({
        by: ['clusterId'],
        _count: { _all: true },
        having: { clusterId: { not: '' }, OR: [{ mtu: { _avg: { gte: 0 } } }] },
        orderBy: [{ _count: { id: 'desc' } }, { clusterId: 'asc' }],
      })
      expect(groups).toEqual([{ clusterId: world.ours.clusterId, _count: { _all: 1 } }])
      expect(await db.node.findMany({ distinct: ['tenantId'], select: { name: true } })).toEqual([{ name: 'ours' }])
      const [row, ...others] = await db.node.findMany({ omit: { tenantId: true, clusterId: true } })
      expect([row?.name, others]).toEqual(['ours', []])
      expect(await db.node.count({ select: { _all: true, name: true } })).toEqual({ _all: 1, name: 1 })
      expect(await db.node.aggregate({ _max: { name: true }, _count: { id: true } })).toEqual({
        _max: { name: 'ours' },
        _count: { id: 1 },
      })
    })
  })
})
