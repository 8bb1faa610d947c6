import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { createCluster, updateClusterVersion } from '../../../src/domain/clusters/clusters.ts'
import { createTenant } from '../../../src/domain/tenants/tenants.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'

interface State {
  readonly instanceId: string
  readonly runningConfigVersion: number
  readonly updatedAt: string
  readonly cluster: { readonly name: string }
}
interface Result {
  readonly __typename: string
  readonly clusterState?: State
  readonly message?: string
}

const fields = '{ instanceId runningConfigVersion updatedAt cluster { name } }'
const report = `mutation ($input: ReportClusterStateInput!) { reportClusterState(input: $input) {
  __typename ... on ReportClusterStatePayload { clusterState ${fields} } ... on Error { message }
} }`
const remove = `mutation ($input: DeleteClusterStateInput!) { deleteClusterState(input: $input) {
  __typename ... on DeleteClusterStatePayload { clusterState ${fields} } ... on Error { message }
} }`
const stale = 'query ($instanceId: UUID!) { staleClusters(instanceId: $instanceId) { name configVersion } }'

describe.each(engines)('cluster states on %s', (engine) => {
  let app: TestApp
  beforeAll(async () => {
    app = await startApp(engine)
  })
  afterAll(() => app.close())

  const operator = () => systemOperator(app.database)
  const newTenant = () => createTenant(operator(), { name: randomUUID() })
  const newCluster = async (tenantId: string, name: string) =>
    (await createCluster(operator(), app, { tenantId, name })).cluster.id
  const send = async (clusterId: string, instanceId: string, runningConfigVersion: number): Promise<Result> => {
    const input = { clusterId, instanceId, runningConfigVersion }
    return (await app.ask<{ reportClusterState: Result }>(app.operator, report, { input })).reportClusterState
  }
  const staleNames = async (instanceId: string) =>
    (await app.ask<{ staleClusters: { name: string }[] }>(app.operator, stale, { instanceId })).staleClusters.map(
      ({ name }) => name,
    )

  test('an instance reports what it runs; a later report replaces the first', async () => {
    const cluster = await newCluster((await newTenant()).id, 'mesh')
    const [instance, other] = [randomUUID(), randomUUID()]
    await updateClusterVersion(operator(), cluster)
    const first = await send(cluster, instance, 1)
    expect(first).toMatchObject({
      clusterState: { instanceId: instance, runningConfigVersion: 1, cluster: { name: 'mesh' } },
    })
    await send(cluster, other, 1)
    await send(cluster, instance, 2)
    const query = `query ($id: UUID!, $one: UUID!, $none: UUID!) {
      cluster(id: $id) { state(instanceId: $one) ${fields} never: state(instanceId: $none) ${fields} states ${fields} }
    }`
    const { cluster: found } = await app.ask<{ cluster: { state: State; never: State | null; states: State[] } }>(
      app.operator,
      query,
      { id: cluster, one: instance, none: randomUUID() },
    )
    expect(found).toMatchObject({
      state: { instanceId: instance, runningConfigVersion: 2 },
      never: null,
      states: [{ instanceId: instance }, { instanceId: other, runningConfigVersion: 1 }],
    })
    expect(Date.parse(found.state.updatedAt)).toBeGreaterThanOrEqual(Date.parse(first.clusterState?.updatedAt ?? ''))
  })

  test('reports that arrive at once leave one row, and no error', async () => {
    const cluster = await newCluster((await newTenant()).id, 'mesh')
    const instance = randomUUID()
    const results = await Promise.all(Array.from({ length: 16 }, () => send(cluster, instance, 1)))
    expect(new Set(results.map(({ __typename }) => __typename))).toEqual(new Set(['ReportClusterStatePayload']))
    expect(await app.database.client.clusterState.count({ where: { clusterId: cluster } })).toBe(1)
  })

  test('stale is what runs an older version than is wanted, or never ran; on that instance', async () => {
    await app.database.client.tenant.deleteMany()
    const tenant = await newTenant()
    const [current, old, never] = [
      await newCluster(tenant.id, 'current'),
      await newCluster(tenant.id, 'old'),
      await newCluster((await newTenant()).id, 'never'),
    ]
    const [instance, other] = [randomUUID(), randomUUID()]
    for (const id of [current, old]) await send(id, instance, 1)
    for (const id of [current, old, never]) await send(id, other, 1)
    expect(await staleNames(instance)).toEqual(['never'])
    await updateClusterVersion(operator(), old)
    expect(await staleNames(instance)).toEqual(['never', 'old'])
    expect(await staleNames(other)).toEqual(['old'])
    await send(old, instance, 2)
    await send(never, instance, 1)
    expect(await staleNames(instance)).toEqual([])
    expect(await staleNames(randomUUID())).toEqual(['current', 'never', 'old'])
  })

  test('at most 500 stale clusters are named, in two statements', async () => {
    await app.database.client.tenant.deleteMany()
    const tenant = await newTenant()
    await app.database.client.cluster.createMany({
      data: Array.from({ length: 501 }, (_, index) => ({
        id: randomUUID(),
        tenantId: tenant.id,
        name: `mesh ${String(index).padStart(3, '0')}`,
        clusterTokenHash: randomUUID(),
        firewall: {},
      })),
    })
    app.takeStatements()
    const names = await staleNames(randomUUID())
    expect([names.length, names[0], names[499]]).toEqual([500, 'mesh 000', 'mesh 499'])
    expect(app.takeStatements()).toHaveLength(2)
  })

  test('the states of many clusters are read in one statement for each field', async () => {
    const query = `query ($id: UUID!, $instance: UUID!) { tenant(id: $id) { clusters(first: 100) { nodes {
      state(instanceId: $instance) { runningConfigVersion cluster { name } } states { instanceId cluster { name } }
    } } } }`
    const instance = randomUUID()
    const counts: number[] = []
    for (const size of [2, 20]) {
      const tenant = await newTenant()
      for (let index = 0; index < size; index++) await send(await newCluster(tenant.id, `mesh ${index}`), instance, 1)
      app.takeStatements()
      const answer = await app.ask<{ tenant: { clusters: { nodes: { state: State; states: State[] }[] } } }>(
        app.operator,
        query,
        { id: tenant.id, instance },
      )
      expect(
        answer.tenant.clusters.nodes.map(({ state, states }) => [state.runningConfigVersion, states.length]),
      ).toEqual(Array.from({ length: size }, () => [1, 1]))
      counts.push(app.takeStatements().length)
    }
    // The tenant, the list, two fields of states, and the two edges that lead up again.
    for (const count of counts) expect(count).toBeLessThanOrEqual(6)
  })

  test('a version that the cluster has not come to is refused: it would look up to date for ever', async () => {
    const cluster = await newCluster((await newTenant()).id, 'mesh')
    expect(await send(cluster, randomUUID(), 2)).toEqual({
      __typename: 'ValidationError',
      message: 'input.runningConfigVersion: must be at most 1, the version that is wanted',
    })
  })

  test('a report can be deleted, once; clusters and reports that are not there are not found', async () => {
    const clusterId = await newCluster((await newTenant()).id, 'mesh')
    const input = { clusterId, instanceId: randomUUID() }
    await send(clusterId, input.instanceId, 1)
    expect(await app.ask(app.operator, remove, { input })).toMatchObject({
      deleteClusterState: { clusterState: { instanceId: input.instanceId, cluster: { name: 'mesh' } } },
    })
    expect(await app.ask(app.operator, remove, { input })).toEqual({
      deleteClusterState: { __typename: 'NotFoundError', message: 'ClusterState not found' },
    })
    expect(await send(randomUUID(), randomUUID(), 1)).toEqual({
      __typename: 'NotFoundError',
      message: 'Cluster not found',
    })
  })

  test('what has not the form of an id or a version is BAD_USER_INPUT', async () => {
    const good = { clusterId: randomUUID(), instanceId: randomUUID() }
    for (const [query, variables] of [
      [report, { input: { ...good, runningConfigVersion: 0 } }],
      [report, { input: { ...good, instanceId: 'me', runningConfigVersion: 1 } }],
      [remove, { input: { ...good, clusterId: 'mesh' } }],
      [stale, { instanceId: 'me' }],
    ] as const) {
      const { errors } = await app.answer(app.operator, query, variables)
      expect([variables, errors?.[0]?.extensions?.code]).toEqual([variables, 'BAD_USER_INPUT'])
    }
  })

  test('a tenant reads the states of its own clusters', async () => {
    const [tenant, stranger] = [await newTenant(), await newTenant()]
    const clusterId = await newCluster(tenant.id, 'mesh')
    const instanceId = randomUUID()
    await send(clusterId, instanceId, 1)
    const read = 'query ($id: UUID!) { cluster(id: $id) { states { instanceId } } }'
    for (const role of ['admin', 'viewer'] as const) {
      const token = await app.tenantToken(tenant.id, role)
      expect(await app.ask(token, read, { id: clusterId })).toEqual({ cluster: { states: [{ instanceId }] } })
      expect(await app.ask(await app.tenantToken(stranger.id, role), read, { id: clusterId })).toEqual({
        cluster: null,
      })
    }
  })
})
