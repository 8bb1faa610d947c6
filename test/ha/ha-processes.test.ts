import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { type Database, openDatabase } from '../../src/db/client/client.ts'
import { createMigratedDatabase, engines, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import {
  masterships,
  count,
  fastTimes as times,
  isMaster,
  lastTime,
  overlaps,
  type ReplicaProcess,
  startReplicaProcess,
  told,
} from '../support/replica-processes.ts'

describe.each(engines)('instances in processes of their own, on %s', (engine) => {
  let home: TestDatabase
  let database: Database
  let all: ReplicaProcess[]
  beforeAll(async () => {
    home = await createMigratedDatabase(engine)
    database = await openDatabase(home.url)
  })
  afterAll(async () => {
    await database.close()
    await home.drop()
  })
  beforeEach(async () => {
    await database.client.replica.deleteMany()
    all = []
  })
  afterEach(async () => {
    for (const one of all) one.kill('SIGKILL')
    await Promise.all(all.map((one) => one.exited))
  })

  const addressOf = (name: string) => `http://${name}.example/`
  const launch = (name: string) => {
    const one = startReplicaProcess(name, home.url, addressOf(name.replace(/ .*/, '')), times)
    all.push(one)
    return one
  }
  const started = (one: ReplicaProcess) =>
    eventually(told(`${one.name} has started`, all), () => count(one, 'started') > 0)
  const masterOf = async (
    ...some: ReplicaProcess[]
  ): Promise<[master: ReplicaProcess, ...others: ReplicaProcess[]]> => {
    await eventually(told('one is the master', all), () => some.some(isMaster))
    const [master, ...others] = [...some.filter(isMaster), ...some.filter((one) => !isMaster(one))]
    if (!master) throw new Error('there is no master')
    return [master, ...others]
  }
  const beats = async (one: ReplicaProcess, more: number) => {
    const before = count(one, 'beat')
    await eventually(
      told(`${one.name} has sent ${more} heartbeats more`, all),
      () => count(one, 'beat') >= before + more,
    )
  }
  /** Not while it holds a lock of SQLite, which nobody could take from it: right after a heartbeat there is time. */
  const freeze = async (one: ReplicaProcess) => {
    await beats(one, 1)
    await new Promise((resolve) => setTimeout(resolve, times.heartbeat / 3))
    one.kill('SIGSTOP')
  }

  test('one of two is the master through a stop that froze it, a crash, a restart and a clean stop; never both are', async () => {
    const [one, two] = [launch('one'), launch('two')]
    await Promise.all([started(one), started(two)])
    const [first, second] = await masterOf(one, two)
    if (!second) throw new Error('there is no second one')

    // Frozen for longer than its lease: the other takes over; when it goes on, it is not the master for one moment.
    await freeze(first)
    await eventually(told('the other has taken over', all), () => isMaster(second))
    const thawed = Number(process.hrtime.bigint()) / 1e6
    first.kill('SIGCONT')
    await eventually(told('the frozen one knows', all), () => count(first, 'demoted') > 0)
    await beats(first, 3)
    expect(masterships(first).filter(({ to }) => to >= thawed)).toEqual([])
    expect([isMaster(first), isMaster(second)]).toEqual([false, true])

    // Killed: the other takes over when the lease has run out.
    const promotions = count(first, 'promoted')
    second.kill('SIGKILL')
    await eventually(told('the other has taken over again', all), () => count(first, 'promoted') > promotions)

    // Started again under the same address, whose row is still there.
    const third = launch(`${second.name} again`)
    await started(third)
    await beats(third, 2)
    expect(third.lines.filter(({ event }) => event === 'log')).toEqual([])
    expect(isMaster(first)).toBe(true)
    expect(await database.client.replica.count()).toBe(2)

    // Stopped in order: the other does not wait for the lease.
    first.kill('SIGTERM')
    expect([await first.exited, await first.errors]).toEqual([0, ''])
    await eventually(told('the restarted one has taken over', all), () => isMaster(third))
    expect(lastTime(third, 'promoted') - lastTime(first, 'stopped')).toBeLessThan(times.lease - 2 * times.heartbeat)
    expect(await database.client.replica.findMany({ select: { address: true, role: true } })).toEqual([
      { address: addressOf(second.name), role: 'master' },
    ])

    third.kill('SIGTERM')
    expect(await third.exited).toBe(0)
    expect(await database.client.replica.count()).toBe(0)
    expect(overlaps(all)).toEqual([])
    expect(all.flatMap(masterships).length).toBeGreaterThanOrEqual(4)
  })

  test('a process that takes the address of a live master over is not a master beside it', async () => {
    const old = launch('one')
    await started(old)
    await masterOf(old)
    const young = launch('one again')
    await started(young)
    await eventually(told('the old one has heard of it', all), () => count(old, 'demoted') > 0)
    await eventually(told('the new one is the master', all), () => isMaster(young))
    // The old one gives way: two processes of one address do not take the row from each other in turn.
    await beats(young, 5)
    expect([isMaster(young), await database.client.replica.count()]).toEqual([true, 1])
    expect(overlaps(all)).toEqual([])
    const registered = young.lines.find((line) => line.event === 'started')
    const waited = lastTime(young, 'promoted') - (registered?.event === 'started' ? registered.at : Infinity)
    expect(waited).toBeGreaterThan(times.validity)
  })
})
