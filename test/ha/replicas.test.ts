import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../src/auth/system.ts'
import { replicaLease } from '../../src/db/writes/lease.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'

interface Replica {
  readonly id: string
  readonly address: string
  readonly role: string
  readonly createdAt: string
  readonly lastSeenAt: string
  readonly isHealthy: boolean
}
interface Result {
  readonly __typename: string
  readonly replica?: Replica
  readonly message?: string
  readonly path?: string[]
  readonly pruned?: number
}

const fields = '{ id address role createdAt lastSeenAt isHealthy }'

/** A mutation with whatever it may answer. */
const mutation = (name: string) => {
  const type = name.charAt(0).toUpperCase() + name.slice(1)
  return `mutation ($input: ${type}Input!) { ${name}(input: $input) {
    __typename ... on ${type}Payload { replica ${fields} } ... on Error { message }
    ${name === 'registerReplica' ? '... on ValidationError { path }' : ''}
  } }`
}
const prune = '{ pruneStaleReplicas { __typename ... on PruneStaleReplicasPayload { pruned } } }'

describe.each(engines)('replicas on %s', (engine) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())
  beforeEach(() => app.database.client.replica.deleteMany())

  const call = async (name: string, input: object): Promise<Result> => {
    const answer = await app.ask<Record<string, Result>>(app.operator, mutation(name), { input })
    const result = answer[name]
    if (!result) throw new Error(`${name} answered with nothing`)
    return result
  }
  const countMasters = async () => (await list({ role: 'MASTER' })).length
  const register = async (address: string): Promise<Replica> => {
    const { replica, ...rest } = await call('registerReplica', { address })
    if (!replica) throw new Error(`${address} was not registered: ${JSON.stringify(rest)}`)
    return replica
  }
  const list = async (filter: object = {}) => {
    const query = `query ($filter: ReplicaFilter) { replicas(filter: $filter) ${fields} }`
    return (await app.ask<{ replicas: Replica[] }>(app.operator, query, { filter })).replicas
  }
  const addresses = async (filter: object = {}) => (await list(filter)).map(({ address }) => address)
  const master = async () =>
    (await app.ask<{ master: Replica | null }>(app.operator, `{ master ${fields} }`)).master?.address ?? null
  /** As if the instance had not reported for so long. */
  const age = async (id: string, milliseconds: number) => {
    const { lastSeenAt } = await app.database.client.replica.findUniqueOrThrow({ where: { id } })
    const earlier = new Date(lastSeenAt.getTime() - milliseconds)
    await app.database.client.replica.update({ where: { id }, data: { lastSeenAt: earlier } })
  }

  test('one registers, and is found by its id, by its address in any spelling, and in the list', async () => {
    const made = await register('http://One.example:80')
    expect(made).toMatchObject({ address: 'http://one.example/', role: 'REPLICA', isHealthy: true })
    const query = `query ($by: ReplicaBy!) { replica(by: $by) ${fields} }`
    for (const by of [{ id: made.id }, { address: 'http://one.example/' }, { address: 'HTTP://ONE.example' }]) {
      expect(await app.ask(app.operator, query, { by })).toEqual({ replica: made })
    }
    expect(await list()).toEqual([made])
    for (const by of [{ id: randomUUID() }, { address: 'http://two.example/' }]) {
      expect(await app.ask(app.operator, query, { by })).toEqual({ replica: null })
    }
  })

  test('an address that is registered again is a new instance in the role of the old one', async () => {
    const old = await register('http://one.example/')
    await call('updateReplicaRole', { id: old.id, role: 'MASTER' })
    const made = await register('http://one.example/')
    expect(made).toMatchObject({ role: 'MASTER', createdAt: old.createdAt })
    expect(made.id).not.toBe(old.id)
    expect(await call('heartbeatReplica', { id: old.id })).toMatchObject({ __typename: 'NotFoundError' })
    expect(await list()).toHaveLength(1)
  })

  test('an address whose master’s lease ran out is registered as a replica', async () => {
    const old = await register('http://one.example/')
    await call('updateReplicaRole', { id: old.id, role: 'MASTER' })
    await age(old.id, 31_000)
    expect(await register('http://one.example/')).toMatchObject({ role: 'REPLICA', isHealthy: true })
  })

  test.each([
    ['of another scheme', 'ftp://one.example', 'must be an http or https URL'],
    ['with credentials', 'http://me:secret@one.example', 'must not contain credentials, a query or a fragment'],
  ])('an address %s is refused', async (_what, address, rule) => {
    expect(await call('registerReplica', { address })).toEqual({
      __typename: 'ValidationError',
      path: ['input', 'address'],
      message: `input.address: ${rule}`,
    })
  })

  test('an address of more than 2048 characters is none', async () => {
    const query = `mutation ($input: RegisterReplicaInput!) { registerReplica(input: $input) { __typename } }`
    const input = { address: `http://one.example/${'x'.repeat(2048)}` }
    const { errors } = await app.answer(app.operator, query, { input })
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
  })

  test('healthy is who reported within 30 seconds; a heartbeat makes healthy again', async () => {
    const [one] = [await register('http://one.example/'), await register('http://two.example/')]
    await age(one.id, 15_000)
    expect(await addresses({ healthy: true })).toEqual(['http://one.example/', 'http://two.example/'])
    await age(one.id, 16_000)
    expect(await addresses({ healthy: true })).toEqual(['http://two.example/'])
    expect(await addresses({ healthy: false })).toEqual(['http://one.example/'])
    expect((await list()).map(({ isHealthy }) => isHealthy)).toEqual([false, true])
    const { replica } = await call('heartbeatReplica', { id: one.id })
    expect(replica).toMatchObject({ id: one.id, isHealthy: true })
    expect(Date.parse(replica?.lastSeenAt ?? '')).toBeGreaterThanOrEqual(Date.parse(one.lastSeenAt))
    expect(await addresses({ healthy: false })).toEqual([])
  })

  test('the database’s time is asked for once, however many rows there are', async () => {
    for (const name of ['one', 'two', 'three']) await register(`http://${name}.example/`)
    app.takeStatements()
    await list()
    expect(app.takeStatements()).toHaveLength(2)
  })

  test('one of several becomes the master; a second one is refused until the first gave the role up', async () => {
    const [one, two] = [await register('http://one.example/'), await register('http://two.example/')]
    expect(await master()).toBeNull()
    expect(await call('updateReplicaRole', { id: one.id, role: 'MASTER' })).toMatchObject({
      replica: { id: one.id, role: 'MASTER' },
    })
    expect(await call('updateReplicaRole', { id: one.id, role: 'MASTER' })).toMatchObject({ replica: { id: one.id } })
    expect(await call('updateReplicaRole', { id: two.id, role: 'MASTER' })).toEqual({
      __typename: 'ConflictError',
      message: 'Another replica is the master: take the role from it first',
    })
    expect([await master(), await addresses({ role: 'MASTER' })]).toEqual([one.address, [one.address]])
    expect(await call('updateReplicaRole', { id: one.id, role: 'REPLICA' })).toMatchObject({
      replica: { id: one.id, role: 'REPLICA' },
    })
    expect([await master(), await countMasters()]).toEqual([null, 0])
    expect(await call('updateReplicaRole', { id: two.id, role: 'MASTER' })).toMatchObject({
      replica: { role: 'MASTER' },
    })
    expect(await addresses({ role: 'REPLICA' })).toEqual([one.address])
    expect(await countMasters()).toBe(1)
  })

  test('a master that stopped to report is none any more and can be replaced, by one that reports', async () => {
    const [one, two, three] = [
      await register('http://one.example/'),
      await register('http://two.example/'),
      await register('http://three.example/'),
    ]
    await call('updateReplicaRole', { id: one.id, role: 'MASTER' })
    for (const { id } of [one, two]) await age(id, 31_000)
    expect(await master()).toBeNull()
    expect(await call('updateReplicaRole', { id: two.id, role: 'MASTER' })).toEqual({
      __typename: 'ConflictError',
      message: 'The replica has not reported for too long to become the master',
    })
    expect(await call('updateReplicaRole', { id: three.id, role: 'MASTER' })).toMatchObject({
      replica: { role: 'MASTER' },
    })
    expect(await call('heartbeatReplica', { id: one.id })).toMatchObject({ replica: { role: 'REPLICA' } })
    expect(await addresses({ role: 'MASTER' })).toEqual([three.address])
  })

  test('a deleted replica is gone; what was never there is not found', async () => {
    const one = await register('http://one.example/')
    expect(await call('deleteReplica', { id: one.id })).toMatchObject({ replica: { id: one.id } })
    expect(await list()).toEqual([])
    for (const [name, input] of [
      ['deleteReplica', { id: one.id }],
      ['heartbeatReplica', { id: one.id }],
      ['updateReplicaRole', { id: one.id, role: 'MASTER' }],
      ['updateReplicaRole', { id: one.id, role: 'REPLICA' }],
    ] as const) {
      expect([name, await call(name, input)]).toEqual([
        name,
        { __typename: 'NotFoundError', message: 'Replica not found' },
      ])
    }
  })

  test('the seat of a live master that was demoted or deleted stays taken until its lease ran out', async () => {
    // Nobody takes over by itself while the process behind the row may still take itself for the master.
    const { lease } = systemOperator(app.database)
    for (const [name, input] of [
      ['updateReplicaRole', { role: 'REPLICA' }],
      ['deleteReplica', {}],
    ] as const) {
      await app.database.client.replica.deleteMany()
      const [one, two] = [await register('http://one.example/'), await register('http://two.example/')]
      await call('updateReplicaRole', { id: one.id, role: 'MASTER' })
      await age(one.id, 10_000)
      await call(name, { id: one.id, ...input })
      expect([name, await lease.takeOver(two.id), await master(), await countMasters()]).toEqual([name, false, null, 0])
      expect(await addresses()).toEqual(name === 'deleteReplica' ? [two.address] : [one.address, two.address])
      // Ten seconds old already: twenty more, and the lease is over.
      const later = replicaLease(app.database, { heartbeat: 1, belief: 1, lease: 9_000, keep: 300_000 })
      expect([name, await later.takeOver(two.id), await master()]).toEqual([name, true, two.address])
    }
  })

  test('pruning forgets who did not report for five minutes, and nobody else', async () => {
    const [one, two] = [await register('http://one.example/'), await register('http://two.example/')]
    await register('http://three.example/')
    await age(one.id, 301_000)
    await age(two.id, 240_000)
    expect(await app.ask(app.operator, `mutation ${prune}`)).toEqual({
      pruneStaleReplicas: { __typename: 'PruneStaleReplicasPayload', pruned: 1 },
    })
    expect(await addresses()).toEqual(['http://three.example/', 'http://two.example/'])
  })

  test('what has not the form of an id, an address or a role is BAD_USER_INPUT', async () => {
    for (const [name, input] of [
      ['registerReplica', { address: 'no address' }],
      ['heartbeatReplica', { id: 'vacated-seat' }],
      ['updateReplicaRole', { id: randomUUID(), role: 'BOSS' }],
      ['deleteReplica', { id: 7 }],
    ] as const) {
      const { errors } = await app.answer(app.operator, mutation(name), { input })
      expect([name, errors?.[0]?.extensions?.code]).toEqual([name, 'BAD_USER_INPUT'])
    }
    const both = { by: { id: randomUUID(), address: 'http://one.example/' } }
    const { errors } = await app.answer(app.operator, 'query ($by: ReplicaBy!) { replica(by: $by) { id } }', both)
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
  })
})
