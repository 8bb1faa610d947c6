import { mkdtemp, open, rm } from 'node:fs/promises'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import Sqlite from 'better-sqlite3'

import { createMigratedDatabase, type TestDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import {
  createSmallWorld,
  createTenant,
  isReady,
  listTenants,
  newSecret,
  serve,
  type Served,
  setMtu,
  type SmallWorld,
  told,
} from '../support/served.ts'

const run = promisify(execFile)

/** A write as a caller makes it: its status, its error's code, and when it may be tried again. */
async function write(served: Served, query: string, variables: object) {
  const response = await served.fetch('/graphql', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${served.operator}` },
    body: JSON.stringify({ query, variables }),
  })
  const { errors = [] } = (await response.json()) as { errors?: { extensions?: { code?: string } }[] }
  const [code = null] = errors.map(({ extensions }) => extensions?.code ?? '')
  return { status: response.status, code, retryAfter: response.headers.get('retry-after') }
}

const newTenant = (served: Served, name: string = randomUUID()) => write(served, createTenant, { name })
const saidOf = (served: Served, of: string) =>
  served.faults().flatMap(({ fault, level, msg }) => (fault === of && level === 50 ? [msg] : []))

describe('on SQLite, with the real server', () => {
  let home: TestDatabase
  let served: Served
  let world: SmallWorld
  beforeEach(async () => {
    home = await createMigratedDatabase('sqlite')
    served = await serve({ database: home.url })
    world = await createSmallWorld(served)
  })
  afterEach(async () => {
    served.kill('SIGKILL')
    await served.ended
    await home.drop()
  })

  test('a lock that another process keeps holds nobody up, ends changes with 503, and is said once', async () => {
    const other = new Sqlite(home.url.replace('file:', ''))
    other.exec('BEGIN IMMEDIATE')
    const state = { isLocked: true, slowest: 0 }
    const watching = (async () => {
      while (state.isLocked) {
        const begin = performance.now()
        await (await served.fetch('/healthz')).text()
        state.slowest = Math.max(state.slowest, performance.now() - begin)
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    // Several, one behind the other: the patience of each begins when it came.
    const begin = performance.now()
    const writes = Promise.all([
      ...Array.from({ length: 6 }, () => newTenant(served)),
      write(served, setMtu, { id: world.nodeId, mtu: 1400 }),
    ])
    const read = await served.answer(served.operator, listTenants)
    expect(read).toMatchObject({ status: 200, data: { tenants: { edges: [{}] } } })
    for (const answer of await writes) expect(answer).toEqual({ status: 503, code: 'TRY_AGAIN', retryAfter: '1' })
    // Each would wait for five seconds behind the one before it.
    expect(performance.now() - begin).toBeLessThan(15_000)
    expect(await served.readiness()).toMatchObject({ status: 503, checks: { database: 'ok', resources: 'failed' } })
    state.isLocked = false
    await watching
    // The driver's own waiting lets nobody through for five seconds at a time.
    expect(state.slowest).toBeLessThan(1500)

    // Whoever waits when it comes free gets through.
    const waiting = newTenant(served)
    await new Promise((resolve) => setTimeout(resolve, 500))
    other.exec('ROLLBACK')
    other.close()
    expect(await waiting).toEqual({ status: 200, code: null, retryAfter: null })
    await eventually(told('it is ready again', served), () => isReady(served))
    expect(saidOf(served, 'locked')).toEqual([
      expect.stringContaining('another process keeps the database’s write lock'),
    ])
    expect(served.output()).not.toContain('request failed')
  }, 90_000)
})

describe('on SQLite, a database with damaged pages', () => {
  test('is named as such to callers, in the log and by /readyz, and what is whole is served', async () => {
    const secret = newSecret()
    const home = await createMigratedDatabase('sqlite')
    const before = await serve({ database: home.url, secret })
    const world = await createSmallWorld(before)
    before.kill('SIGTERM')
    await before.ended
    await damage(home.url.replace('file:', ''), 'nodes')
    const served = await serve({ database: home.url, secret })
    try {
      expect(await served.answer(served.operator, listTenants)).toMatchObject({ status: 200 })
      const query = 'query ($id: UUID!) { node(id: $id) { name mtu routes } }'
      const answers = await Promise.all([
        write(served, query, { id: world.nodeId }),
        write(served, setMtu, { id: world.nodeId, mtu: 1400 }),
        write(served, query, { id: world.nodeId }),
      ])
      for (const answer of answers) {
        expect(answer).toEqual({ status: 503, code: 'DATABASE_DAMAGED', retryAfter: '60' })
      }
      const headers = { authorization: `Bearer ${world.nodeToken}` }
      expect((await served.fetch('/bundle', { headers })).status).toBe(503)
      await eventually(told('it is not ready', served), async () => !(await isReady(served)))
      expect((await served.readiness()).checks['resources']).toBe('failed')
      expect(saidOf(served, 'damaged')).toEqual([expect.stringContaining('restore a backup')])
      expect(served.output()).not.toContain('request failed')
    } finally {
      served.kill('SIGKILL')
      await served.ended
      await home.drop()
    }
  }, 60_000)

  /** Overwrites the pages of a table and of its indexes with what makes no sense. */
  async function damage(path: string, table: string): Promise<void> {
    const database = new Sqlite(path)
    database.pragma('wal_checkpoint(TRUNCATE)')
    const pages = database
      .prepare<[string], number>('SELECT rootpage FROM sqlite_master WHERE tbl_name = ? AND rootpage > 0')
      .pluck()
      .all(table)
    const size = Number(database.pragma('page_size', { simple: true }))
    database.close()
    const file = await open(path, 'r+')
    for (const page of pages) await file.write(Buffer.alloc(size, 0xa5), 0, size, (page - 1) * size)
    await file.close()
  }
})

describe('on SQLite, a disk that is full', () => {
  let folder: string
  let served: Served
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-full-'))
    await run('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'orrery-test', folder])
    served = await serve({ database: `file:${join(folder, 'orrery.db')}` })
  })
  afterEach(async () => {
    served.kill('SIGKILL')
    await served.ended
    await run('umount', [folder])
    await rm(folder, { recursive: true })
  })

  test('refuses changes with 503, loses none that it acknowledged, and is served from as soon as there is room', async () => {
    await createSmallWorld(served)
    const filler = join(folder, 'filler')
    await fill(filler)
    const acknowledged: string[] = []
    const answers: Awaited<ReturnType<typeof newTenant>>[] = []
    // What is left of the journal takes some more.
    for (let refused = 0; refused < 8 && answers.length < 2000;) {
      const names = Array.from({ length: 8 }, () => randomUUID())
      const some = await Promise.all(names.map((name) => newTenant(served, name)))
      answers.push(...some)
      acknowledged.push(...names.filter((_, index) => some[index]?.status === 200))
      refused = some.filter(({ status }) => status === 503).length
    }
    const failures = answers.filter(({ status }) => status !== 200)
    expect(failures.length).toBeGreaterThanOrEqual(8)
    expect(new Set(failures.map((one) => JSON.stringify(one)))).toEqual(
      new Set([JSON.stringify({ status: 503, code: 'STORAGE_FULL', retryAfter: '30' })]),
    )
    expect(await served.readiness()).toMatchObject({ status: 503, checks: { database: 'ok', resources: 'failed' } })
    expect(await served.answer(served.operator, listTenants)).toMatchObject({ status: 200 })

    await rm(filler)
    expect(await newTenant(served)).toEqual({ status: 200, code: null, retryAfter: null })
    await eventually(told('it is ready again', served), () => isReady(served))
    const other = new Sqlite(join(folder, 'orrery.db'))
    const kept = new Set(other.prepare<[], string>('SELECT name FROM tenants').pluck().all())
    expect(other.pragma('integrity_check', { simple: true })).toBe('ok')
    other.close()
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([])
    expect(saidOf(served, 'full')).toEqual([expect.stringContaining('the disk is full')])
    expect(served.output()).not.toContain('request failed')
  }, 90_000)

  /** Takes all the room that there is. */
  async function fill(path: string): Promise<void> {
    await run('sh', ['-c', 'cat /dev/zero > "$0" 2>/dev/null || true', path])
  }
})
