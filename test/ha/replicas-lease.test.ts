import { randomUUID } from 'node:crypto'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { type Database, openDatabase } from '../../src/db/client/client.ts'
import { type ReplicaLease, replicaLease, replicaTimes, vacatedSeat } from '../../src/db/writes/lease.ts'
import { createMigratedDatabase, engines, type TestDatabase } from '../support/database.ts'

const minute = 60_000

describe.each(engines)('the lease of the master on %s', (engine) => {
  let home: TestDatabase
  let database: Database
  let lease: ReplicaLease
  beforeAll(async () => {
    home = await createMigratedDatabase(engine)
    // Instances in another time zone must read and write the same times.
    if (engine === 'postgresql') {
      const { client, close } = await openDatabase(home.url)
      const name = new URL(home.url).pathname.slice(1)
      await client.$executeRawUnsafe(`ALTER DATABASE ${name} SET timezone = 'Asia/Tokyo'`)
      await close()
    }
    database = await openDatabase(home.url)
    lease = replicaLease(database)
  })
  afterAll(async () => {
    await database.close()
    await home.drop()
  })
  beforeEach(() => database.client.replica.deleteMany())

  const register = async (address = `http://${randomUUID()}.example/`) => {
    const id = randomUUID()
    await lease.register({ id, address })
    return id
  }
  const row = (id: string) => database.client.replica.findUniqueOrThrow({ where: { id } })
  const seen = async (id: string, milliseconds: number) => {
    await database.client.replica.update({ where: { id }, data: { lastSeenAt: new Date(Date.now() + milliseconds) } })
  }
  const masters = () => database.client.replica.count({ where: { role: 'master', id: { not: vacatedSeat.id } } })

  test('a time that a statement writes and one that Prisma writes have one form, and compare', async () => {
    const id = await register()
    await database.client.replica.create({ data: { id: 'by Prisma', address: 'http://prisma.example/' } })
    const texts = await database.client.$queryRaw<{ id: string; text: string }[]>`
      SELECT id, CAST(last_seen_at AS TEXT) AS text FROM replicas ORDER BY last_seen_at`
    expect(texts.map((one) => one.id)).toEqual([id, 'by Prisma'])
    const form =
      engine === 'sqlite'
        ? /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$/
        : /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{1,3})?$/
    for (const { text } of texts) expect(text).toMatch(form)
    const [raw, prisma] = [await row(id), await row('by Prisma')]
    for (const { createdAt, lastSeenAt } of [raw, prisma]) {
      expect(Math.abs(lastSeenAt.getTime() - Date.now())).toBeLessThan(minute)
      expect(Math.abs(createdAt.getTime() - lastSeenAt.getTime())).toBeLessThan(2)
    }
    const fresh = await lease.freshSince()
    expect(Math.abs(fresh.getTime() + replicaTimes.lease - Date.now())).toBeLessThan(minute / 2)
    // Compared by the database, as the statements do: a second on either side of the lease's end.
    for (const [age, ended] of [
      [29_000, false],
      [31_000, true],
    ] as const) {
      await database.client.replica.update({
        where: { id },
        data: { role: 'master', lastSeenAt: new Date(Date.now() - age) },
      })
      await lease.takeOver('nobody')
      expect([age, (await row(id)).role]).toEqual([age, ended ? 'replica' : 'master'])
    }
  })

  test('whoever asks first becomes the master, and stays it while its heartbeat is fresh', async () => {
    const [one, two] = [await register(), await register()]
    expect(await lease.takeOver(one)).toBe(true)
    expect(await lease.takeOver(two)).toBe(false)
    await seen(one, -29_000)
    expect(await lease.takeOver(two)).toBe(false)
    expect((await lease.heartbeat(one))?.role).toBe('master')
    await seen(one, -31_000)
    expect(await lease.takeOver(two)).toBe(true)
    expect([(await row(one)).role, await masters()]).toEqual(['replica', 1])
  })

  test('a lease that ran out is not prolonged by a late heartbeat: it must be won again', async () => {
    const [one, two] = [await register(), await register()]
    await lease.takeOver(one)
    await seen(one, -31_000)
    expect((await lease.heartbeat(one))?.role).toBe('replica')
    expect([await lease.takeOver(two), await lease.takeOver(one)]).toEqual([true, false])
  })

  test('an instance that is late itself does not become the master', async () => {
    const one = await register()
    await seen(one, -31_000)
    expect([await lease.takeOver(one), await lease.promote(one), await masters()]).toEqual([false, null, 0])
  })

  test('a clock that was set back does not leave the role with somebody who is gone', async () => {
    const [gone, one] = [await register(), await register()]
    await lease.takeOver(gone)
    await seen(gone, 60 * minute)
    expect(await lease.takeOver(one)).toBe(false)
    expect(Math.abs((await row(gone)).lastSeenAt.getTime() - Date.now())).toBeLessThan(5_000)
  })

  test('a row is taken over by address; not from an instance that is alive, when asked not to', async () => {
    const address = 'http://one.example/'
    const old = await register(address)
    await lease.takeOver(old)
    const id = randomUUID()
    expect(await lease.register({ id, address }, { onlyLate: true })).toBeNull()
    expect(await lease.register({ id, address })).toMatchObject({ id, address, role: 'master' })
    expect(await lease.register({ id, address })).toMatchObject({ id, role: 'master' })
    expect(await lease.heartbeat(old)).toBeNull()
    await seen(id, -31_000)
    expect(await lease.register({ id: old, address }, { onlyLate: true })).toMatchObject({ id: old, role: 'replica' })
    expect(await database.client.replica.count()).toBe(1)
  })

  test('the row that keeps a vacated seat is freed by an operator’s word, outlived, and pruned uncounted', async () => {
    const [one, two] = [await register(), await register()]
    await lease.takeOver(one)
    await lease.demote(one)
    expect([await lease.takeOver(one), await lease.takeOver(two), await masters()]).toEqual([false, false, 0])
    expect((await lease.promote(two))?.role).toBe('master')
    await lease.demote(two)
    await seen('vacated-seat', -31_000)
    expect(await lease.takeOver(one)).toBe(true)
    await lease.remove(one)
    await seen('vacated-seat', -6 * minute)
    expect([await lease.prune(), await database.client.replica.findMany({ select: { id: true } })]).toEqual([
      [],
      [{ id: two }],
    ])
  })

  test('a promotion that fails leaves the vacated seat taken', async () => {
    const [one, two, late] = [await register(), await register(), await register()]
    await lease.takeOver(one)
    await lease.remove(one)
    await seen(late, -31_000)
    expect([await lease.promote(late), await lease.promote('nobody')]).toEqual([null, null])
    expect(await lease.takeOver(two)).toBe(false)
  })

  test('the database refuses a second master, whatever the code does', async () => {
    const [one, two] = [await register(), await register()]
    const promote = (id: string) => database.client.replica.update({ where: { id }, data: { role: 'master' } })
    await promote(one)
    await expect(promote(two)).rejects.toMatchObject({ code: 'P2002' })
    await expect(database.client.replica.update({ where: { id: two }, data: { role: 'boss' } })).rejects.toThrow()
    expect(await masters()).toBe(1)
  })

  describe('with twenty connections', () => {
    const crowd: { database: Database; id: string }[] = []
    beforeEach(async () => {
      for (let index = 0; index < 20; index++) {
        crowd.push({ database: await openDatabase(home.url, { poolSize: 1 }), id: await register() })
      }
    })
    afterEach(async () => {
      for (const one of crowd.splice(0)) await one.database.close()
    })

    test('that race for the role, exactly one wins, every time', async () => {
      for (let round = 0; round < 10; round++) {
        const won = await Promise.all(crowd.map((one) => replicaLease(one.database).takeOver(one.id)))
        expect([round, won.filter(Boolean).length, await masters()]).toEqual([round, 1, 1])
        await database.client.replica.updateMany({ data: { role: 'replica' } })
      }
    })

    test('an operator’s promotions and the instances’ own attempts leave one master', async () => {
      // SQLite's driver waits for a lock with the whole process: what holds the lock must not be in the same one.
      const attempts = crowd.map(async ({ database: own, id }, index) => {
        const mine = engine === 'sqlite' ? lease : replicaLease(own)
        return index % 2 === 0 ? mine.takeOver(id) : (await mine.promote(id)) !== null
      })
      const won = (await Promise.all(attempts)).filter(Boolean)
      expect([won.length, await masters()]).toEqual([1, 1])
    })
  })
})

// SQLite lets one write at a time; here two can be under way.
test('on postgresql, who asks while another’s win is not yet committed waits for it, and then has not won', async () => {
  const home = await createMigratedDatabase('postgresql')
  const [database, other] = [await openDatabase(home.url), await openDatabase(home.url)]
  const [one, two] = [randomUUID(), randomUUID()]
  for (const id of [one, two]) await replicaLease(database).register({ id, address: `http://${id}.example/` })
  const late = await database.client.$transaction(async (tx) => {
    await tx.replica.update({ where: { id: one }, data: { role: 'master' } })
    const attempt = replicaLease(other).takeOver(two)
    for (let waiting = 0n; waiting === 0n;) {
      const [locks] = await tx.$queryRaw<{ count: bigint }[]>`SELECT count(*) AS count FROM pg_locks WHERE NOT granted`
      waiting = locks?.count ?? 0n
    }
    // Not awaited here: it waits for the end of this transaction.
    return { attempt }
  })
  expect(await late.attempt).toBe(false)
  await Promise.all([database.close(), other.close()])
  await home.drop()
})
