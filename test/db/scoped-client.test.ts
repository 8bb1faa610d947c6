import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { engines } from '../support/database.ts'
import { attempts, changeOf, models, operationOf, operationsOf, type Model } from '../support/operations.ts'
import { openTwoTenants, outcome, type RawClient, type TwoTenants } from '../support/tenants.ts'

/** Refused whatever the rows: the tenant's own row is no less than the tenant and replicas are nobody's. */
const changes = ['delete', 'deleteMany', 'update', 'updateMany', 'updateManyAndReturn']
function expected(model: Model, operation: string, scope: string): unknown {
  if (model === 'replica' || (model === 'tenant' && changes.includes(operation))) return 'ScopeError'
  if (model === 'cluster' && scope === 'a cluster' && operation.startsWith('delete')) return 'ScopeError'
  return attempts[operation]?.gives
}

describe.each(engines)('the scoped client on %s', (engine) => {
  let world: TwoTenants

  beforeAll(async () => {
    world = await openTwoTenants(engine)
  })
  afterAll(() => world.close())

  const scopes = [
    ['a tenant', 'of another tenant', () => world.tenantClient(), () => world.theirs],
    ['a cluster', 'of another tenant', () => world.clusterClient(), () => world.theirs],
    ['a cluster', 'of the same tenant’s other cluster', () => world.clusterClient(), () => world.sibling],
  ] as const

  test.each(models)('every operation that Prisma has for a %s was decided upon', (model) => {
    expect(operationsOf(world.database.client, model).sort()).toEqual(Object.keys(attempts).sort())
  })

  test('what the client itself offers is refused, but for transactions and what opens and closes it', () => {
    const names = new Set<string>()
    for (
      let one: object | null = world.tenantClient();
      one !== null;
      one = Object.getPrototypeOf(one) as object | null
    ) {
      for (const key of Object.getOwnPropertyNames(one)) if (key.startsWith('$')) names.add(key)
    }
    const raw = ['$executeRaw', '$executeRawUnsafe', '$queryRaw', '$queryRawTyped', '$queryRawUnsafe', '$runCommandRaw']
    // Not for others' use; the type `Db` shows none of these but $transaction.
    const others = [
      '$connect',
      '$disconnect',
      '$on',
      '$parent',
      '$transaction',
      '$executeRawInternal',
      '$queryRawInternal',
    ]
    expect([...names].sort()).toEqual([...raw, ...others].sort())
  })

  test.each([
    ['$queryRaw', (db: RawClient) => db.$queryRaw`SELECT * FROM nodes`],
    ['$queryRawUnsafe', (db: RawClient) => db.$queryRawUnsafe('SELECT * FROM nodes')],
    ['$executeRaw', (db: RawClient) => db.$executeRaw`DELETE FROM nodes`],
    ['$executeRawUnsafe', (db: RawClient) => db.$executeRawUnsafe('DELETE FROM nodes')],
  ])('%s is refused, in a transaction too', async (_name, run) => {
    const before = await world.allRows()
    const db = world.tenantClient()
    expect(await outcome(run(db as unknown as RawClient))).toBe('ScopeError')
    expect(await outcome(db.$transaction((tx) => run(tx as unknown as RawClient)))).toBe('ScopeError')
    expect(await world.allRows()).toBe(before)
  })

  describe.each(scopes)('of %s: a row %s', (scope, _whose, client, outside) => {
    test.each(Object.keys(attempts))(
      '%s finds nothing and changes nothing, alone and in transactions',
      async (name) => {
        const before = await world.allRows()
        for (const model of models) {
          // Who is in a cluster sees whose it is: the tenant of the other cluster is its own.
          if (model === 'tenant' && outside() === world.sibling && !changes.includes(name)) continue
          const args = attempts[name]?.with(model, outside())
          const wanted = expected(model, name, scope)
          const db = client()
          const alone = await outcome(operationOf(db, model, name)(args))
          const interactive = await outcome(db.$transaction((tx) => operationOf(tx, model, name)(args)))
          const enqueue = [db.node.count(), operationOf(db, model, name)(args)] as unknown as [Pending, Pending]
          const second = await outcome(db.$transaction(enqueue).then((results) => results[1]))
          expect({ model, alone, interactive, second }).toMatchObject({
            model,
            alone: wanted,
            interactive: wanted,
            second: wanted,
          })
        }
        expect(await world.allRows()).toBe(before)
      },
    )
  })

  test('without any condition it reads its own rows and no others', async () => {
    for (const [client, tenants, clusters] of [
      [world.tenantClient(), ['ours'], ['ours', 'sibling']],
      [world.clusterClient(), ['ours'], ['ours']],
    ] as const) {
      const names = (rows: { name: string }[]) => rows.map(({ name }) => name).sort()
      expect(names(await client.tenant.findMany())).toEqual(tenants)
      expect(names(await client.cluster.findMany())).toEqual(clusters)
      expect(names(await client.node.findMany())).toEqual(clusters)
      expect((await client.configBundle.findMany()).map(({ message }) => message).sort()).toEqual(clusters)
      expect((await client.credential.findMany()).map(({ name }) => name).sort()).toEqual(clusters)
      expect(await client.clusterState.count()).toBe(clusters.length)
    }
  })

  test('without any condition it changes and deletes its own rows and no others', async () => {
    const before = await world.allRows(world.ours)
    const db = world.clusterClient()
    for (const model of ['cluster', 'clusterState', 'node', 'configBundle', 'credential'] as const) {
      expect(await operationOf(db, model, 'updateMany')({ data: changeOf(model) })).toEqual({ count: 1 })
      if (model !== 'cluster') expect(await operationOf(db, model, 'deleteMany')({})).toEqual({ count: 1 })
    }
    expect(await world.tenantClient().cluster.deleteMany({ where: { id: world.ours.clusterId } })).toEqual({ count: 1 })
    expect(await world.allRows(world.ours)).toBe(before)
  })
})

type Pending = ReturnType<RawClient['node']['count']>
