import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import Sqlite from 'better-sqlite3'

import { BusyError } from '../../src/base/errors.ts'
import { openDatabase, readPragmas, type Database } from '../../src/db/client/client.ts'
import { PrismaClient } from '../../src/db/generated/sqlite/client.ts'
import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'
import { clusterData, nodeData } from '../support/tenants.ts'

type Client = Database['client']

describe('SQLite', () => {
  let files: TestDatabase
  let database: Database
  let client: Client

  beforeEach(async () => {
    files = await createMigratedDatabase('sqlite')
    database = await openDatabase(files.url)
    client = database.client
  })
  afterEach(async () => {
    await database.close()
    await files.drop()
  })

  const tenant = (name: string) => ({ data: { id: randomUUID(), name } })
  const path = () => files.url.replace('file:', '')

  /** The tenants' names as any other process sees them: what was really committed. */
  function committed(): string[] {
    const other = new Sqlite(path(), { readonly: true })
    const names = other.prepare<[], string>('SELECT name FROM tenants ORDER BY name').pluck().all()
    other.close()
    return names
  }

  /** What a read and a write beside an open transaction see and do, when that transaction is rolled back at last. */
  async function besideARollback(tested: Client) {
    const rollback = new Error('rolled back')
    const seen: string[] = []
    const order: string[] = []
    let write: Promise<unknown> = Promise.resolve()
    const transaction = tested.$transaction(async (tx) => {
      await tx.tenant.create(tenant('inside'))
      seen.push(...(await tested.tenant.findMany()).map(({ name }) => name))
      write = tested.tenant.create(tenant('outside')).then(() => order.push('write'))
      await sleep(100)
      order.push('transaction')
      throw rollback
    })
    await expect(transaction).rejects.toBe(rollback)
    await write
    return { seen, order, kept: committed() }
  }

  test('both running connections have the settings that the documentation promises', async () => {
    const promised = { journal_mode: 'wal', synchronous: 2, foreign_keys: 1, busy_timeout: 0 }
    expect(await readPragmas(client)).toEqual({
      writer: { ...promised, query_only: 0 },
      reader: { ...promised, query_only: 1 },
    })
  })

  test('a read beside an open transaction sees none of it, and a write waits for its end and is kept', async () => {
    expect(await besideARollback(client)).toEqual({ seen: [], order: ['transaction', 'write'], kept: ['outside'] })
  })

  test('that is not so with Prisma’s own adapter, which is why there is another', async () => {
    const stock = new PrismaClient({ adapter: new PrismaBetterSqlite3({ url: files.url }) })
    expect(await besideARollback(stock)).toEqual({ seen: ['inside'], order: ['write', 'transaction'], kept: [] })
    await stock.$disconnect()
  })

  test('what was written is read at once, by both connections', async () => {
    for (let index = 0; index < 20; index++) {
      const { id } = await client.tenant.create(tenant(`t${index}`))
      expect(await client.tenant.findUnique({ where: { id } })).toMatchObject({ name: `t${index}` })
      expect(await client.$transaction((tx) => tx.tenant.count())).toBe(index + 1)
    }
  })

  test('a transaction reads what it wrote itself', async () => {
    await client.$transaction(async (tx) => {
      await tx.tenant.create(tenant('mine'))
      expect(await tx.tenant.count()).toBe(1)
      expect(await client.tenant.count()).toBe(0)
    })
    expect(await client.tenant.count()).toBe(1)
  })

  test('64 transactions at once, each of which reads and then writes one row, all commit', async () => {
    const owner = await client.tenant.create(tenant('owner'))
    const { id } = await client.cluster.create({ data: clusterData(owner.id, randomUUID(), 'cluster') })
    const versions = await Promise.all(
      Array.from({ length: 64 }, () =>
        client.$transaction(async (tx) => {
          const { configVersion } = await tx.cluster.findUniqueOrThrow({ where: { id } })
          await sleep(1)
          await tx.cluster.update({ where: { id }, data: { configVersion: configVersion + 1 } })
          return configVersion
        }),
      ),
    )
    expect(versions.sort((a, b) => a - b)).toEqual(Array.from({ length: 64 }, (_, index) => index + 1))
  })

  describe('whatever ends a transaction lets the next one begin', () => {
    /** Writes, and checks that the write is no part of something that was left open. */
    async function nextWriteIsKept() {
      await client.tenant.create(tenant('next'))
      await client.$transaction((tx) => tx.tenant.create(tenant('next but one')))
      expect(committed()).toEqual(['next', 'next but one'])
    }

    test('an error of the work in it', async () => {
      const work = client.$transaction(async (tx) => {
        await tx.tenant.create(tenant('lost'))
        throw new Error('no')
      })
      await expect(work).rejects.toThrow('no')
      await nextWriteIsKept()
    })

    test('an error of a statement in it', async () => {
      const work = client.$transaction(async (tx) => {
        await tx.tenant.create(tenant('lost'))
        await tx.tenant.create(tenant('lost'))
      })
      await expect(work).rejects.toMatchObject({ code: 'P2002' })
      await nextWriteIsKept()
    })

    test('a COMMIT that the database refuses', async () => {
      const work = client.$transaction(async (tx) => {
        await tx.tenant.create(tenant('lost'))
        await tx.$executeRawUnsafe('PRAGMA defer_foreign_keys = ON')
        await tx.node.create({ data: nodeData('nobody', 'nowhere', 'lost') })
      })
      await expect(work).rejects.toThrow('ForeignKeyConstraintViolation')
      await nextWriteIsKept()
    })

    test('a statement of which SQLite rolls everything back by itself', async () => {
      const work = client.$transaction(async (tx) => {
        await tx.tenant.create(tenant('lost'))
        await tx.$executeRawUnsafe("INSERT OR ROLLBACK INTO tenants (id, name) VALUES ('another', 'lost')")
      })
      await expect(work).rejects.toHaveProperty('code')
      await nextWriteIsKept()
    })

    test('a timeout in the midst of it; what it still tries to write is refused', async () => {
      const late: unknown[] = []
      const work = client.$transaction(
        async (tx) => {
          await tx.tenant.create(tenant('lost'))
          await sleep(200)
          await tx.tenant.create(tenant('late')).catch((error: unknown) => late.push(error))
        },
        { timeout: 50 },
      )
      await expect(work).rejects.toMatchObject({ code: 'P2028' })
      expect(late).toMatchObject([{ code: 'P2028' }])
      await nextWriteIsKept()
    })

    test('a wait for one’s turn that was given up', async () => {
      const first = client.$transaction(() => sleep(300))
      const second = client.$transaction((tx) => tx.tenant.create(tenant('lost')), { maxWait: 50 })
      await expect(second).rejects.toMatchObject({ name: 'BusyError', cause: { code: 'P2028' } })
      await first
      await nextWriteIsKept()
    })

    test('a savepoint that was rolled back', async () => {
      await client.$transaction(async (tx) => {
        await tx.tenant.create(tenant('next'))
        const inner = (tx as Client).$transaction(async (deeper) => {
          await deeper.tenant.create(tenant('lost'))
          throw new Error('no')
        })
        await expect(inner).rejects.toThrow('no')
        await (tx as Client).$transaction((deeper) => deeper.tenant.create(tenant('next but one')))
      })
      expect(committed()).toEqual(['next', 'next but one'])
    })
  })

  describe('beside another process', () => {
    /** Takes the write lock in a process of its own, and lets it go after so many milliseconds. */
    async function lockElsewhere(milliseconds: number) {
      const program = `
        import Sqlite from 'better-sqlite3'
        const database = new Sqlite(${JSON.stringify(path())})
        database.exec('BEGIN IMMEDIATE')
        database.prepare("INSERT INTO tenants (id, name) VALUES ('elsewhere', 'elsewhere')").run()
        console.log('locked')
        setTimeout(() => database.exec('COMMIT'), ${milliseconds})`
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      await once(child.stdout, 'data')
      // Not the promise alone, which would be waited for here.
      return { ended }
    }

    test.each([
      [
        'a transaction that reads before it writes',
        () =>
          client.$transaction(async (tx) => {
            await tx.tenant.count()
            await tx.tenant.create(tenant('here'))
          }),
      ],
      ['a single write', () => client.tenant.create(tenant('here'))],
    ])('%s waits for the other’s lock instead of failing', async (_name, write) => {
      const { ended } = await lockElsewhere(700)
      const start = performance.now()
      await write()
      expect(performance.now() - start).toBeGreaterThan(300)
      expect(committed()).toEqual(['elsewhere', 'here'])
      await ended
    })

    test('a lock that is held for more than five seconds fails who waits for it, and nobody after that', async () => {
      const { ended } = await lockElsewhere(7000)
      await expect(client.$transaction((tx) => tx.tenant.create(tenant('lost')))).rejects.toThrow(BusyError)
      await ended
      await client.$transaction((tx) => tx.tenant.create(tenant('here')), { maxWait: 1000 })
      expect(committed()).toEqual(['elsewhere', 'here'])
    })

    test('reads do not wait for it', async () => {
      const { ended } = await lockElsewhere(700)
      expect(await client.tenant.count()).toBe(0)
      await ended
      expect(await client.tenant.count()).toBe(1)
    })
  })

  test('closing rolls back a transaction that still runs, tells its author, and leaves nothing locked', async () => {
    const own = await openDatabase(files.url)
    const work = own.client.$transaction(async (tx) => {
      await tx.tenant.create(tenant('lost'))
      await sleep(200)
      await tx.tenant.create(tenant('lost too'))
    })
    const failed = expect(work).rejects.toHaveProperty('code', 'P2028')
    await sleep(50)
    await own.close()
    await failed
    await client.tenant.create(tenant('kept'))
    expect(committed()).toEqual(['kept'])
  })

  test('closing waits for the writes that were begun', async () => {
    const own = await openDatabase(files.url)
    const writes = Array.from({ length: 20 }, (_, index) => own.client.tenant.create(tenant(`t${index}`)))
    await own.close()
    const kept = (await Promise.allSettled(writes)).filter(({ status }) => status === 'fulfilled')
    expect(committed()).toHaveLength(kept.length)
  })

  test('a file whose folder takes no write-ahead log is refused, and the message says what is wrong', async () => {
    await expect(openDatabase('file::memory:')).rejects.toThrow(/did not take its settings.*"journal_mode":"memory"/)
  })
})
