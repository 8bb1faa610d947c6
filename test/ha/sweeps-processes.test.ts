import { randomUUID } from 'node:crypto'

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'

import { type Database, openDatabase } from '../../src/db/client/client.ts'
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import {
  count,
  fastTimes as times,
  isMaster,
  lastTime,
  overlaps,
  type ReplicaProcess,
  startReplicaProcess,
  told,
} from '../support/replica-processes.ts'
import { clusterData } from '../support/tenants.ts'

const sweepEvery = 50

let home: TestDatabase
let database: Database
const tenantId = randomUUID()
const all: ReplicaProcess[] = []

beforeAll(async () => {
  home = await createMigratedDatabase('postgresql')
  database = await openDatabase(home.url)
  await database.client.tenant.create({ data: { id: tenantId, name: 'sweeps' } })
})
afterAll(async () => {
  await database.close()
  await home.drop()
})
afterEach(async () => {
  for (const one of all) one.kill('SIGKILL')
  await Promise.all(all.map((one) => one.exited))
})

const launch = async (name: string) => {
  const one = startReplicaProcess(name, home.url, `http://${name}.example/`, times, sweepEvery)
  all.push(one)
  await eventually(told(`${name} has started`, all), () => count(one, 'started') > 0)
  return one
}
const statements = (one: ReplicaProcess) => count(one, 'statement')
const more = (one: ReplicaProcess, many: number) => {
  const before = statements(one)
  return eventually(told(`${many} statements more of ${one.name}`, all), () => statements(one) >= before + many)
}
/** A cluster as it is left by an instance that was killed between a change and its publication. */
const leaveOver = async () => {
  const id = randomUUID()
  const firewall = { inbound: [], outbound: [] }
  await database.client.cluster.create({ data: { ...clusterData(tenantId, id, id), firewall } })
  return id
}
const isPublished = async (id: string) => {
  const { configVersion, publishedConfigVersion } = await database.client.cluster.findUniqueOrThrow({ where: { id } })
  return configVersion === publishedConfigVersion
}
const published = async (id: string) => {
  await eventually(
    () => `it is published: ${JSON.stringify(all.flatMap(logged))}`,
    () => isPublished(id),
  )
  expect(await database.client.configBundle.count({ where: { clusterId: id } })).toBe(1)
}
const logged = ({ lines }: ReplicaProcess) => lines.filter(({ event }) => event === 'log')

test('of three instances, the master alone makes the statements of the sweeps; when it is killed, another goes on', async () => {
  const [first, ...others] = [await launch('one'), await launch('two'), await launch('three')]
  await eventually(told('the first is the master', all), () => isMaster(first))
  // What each of them reads once when it starts.
  await Promise.all(others.map((one) => eventually(told(`${one.name} has looked`, all), () => statements(one) > 0)))
  const atStart = others.map(statements)
  await more(first, 60)
  await published(await leaveOver())
  expect(others.map(statements)).toEqual(atStart)

  first.kill('SIGKILL')
  const killed = Number(process.hrtime.bigint()) / 1e6
  const left = await leaveOver()
  await eventually(told('another is the master', all), () => others.some(isMaster))
  const [next, last] = others.sort((a, b) => Number(isMaster(b)) - Number(isMaster(a)))
  await published(left)
  expect(lastTime(next, 'promoted') - killed).toBeGreaterThan(times.lease - 2 * times.heartbeat)
  await more(next, 60)
  expect(statements(last)).toBe(1)

  // Stopped in order: the sweeps end before the role is given up.
  next.kill('SIGTERM')
  expect([await next.exited, await next.errors]).toEqual([0, ''])
  await published(await leaveOver())
  await more(last, 60)
  expect(all.flatMap(logged)).toEqual([])
  expect(overlaps(all)).toEqual([])
  const lastOf = (one: ReplicaProcess) => one.lines.findLast(({ event }) => event === 'statement')
  const ended = lastOf(next)
  expect(ended?.event === 'statement' && ended.at < lastTime(last, 'promoted')).toBe(true)
}, 90_000)
