import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { BundleComparison } from '../../../src/domain/bundles/read/comparison.ts'
import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { createWorld, type World } from '../../support/world.ts'

const query = `query ($id: UUID!, $version: PositiveInt!, $against: PositiveInt!, $first: Int) {
  configBundle(clusterId: $id, version: $version) {
    diff(against: $against) { fileCount files(first: $first) { path change diff } }
  }
}`

interface Shown {
  readonly path: string
  readonly change: string
  readonly diff: string | null
}

describe.each(engines)('what lies between two versions on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'compared', randomUUID())
  })
  afterAll(() => app.close())

  async function store(version: number, files: Record<string, string | Uint8Array<ArrayBuffer>>): Promise<void> {
    const { tenantId, clusterId } = world
    const data = await packBundle(Object.entries(files).map(([path, content]) => ({ path, content })))
    await app.database.client.configBundle.create({
      data: { version, tenantId, clusterId, data, sha256: '', size: data.length },
    })
  }

  async function diff(token: string, version: number, against: number, first = 50) {
    const { configBundle } = await app.ask<{
      configBundle: { diff: { fileCount: number; files: Shown[] } | null } | null
    }>(token, query, { id: world.clusterId, version, against, first })
    return configBundle?.diff ?? null
  }

  test('files that were added, changed and removed, with their lines; the manifest is left out', async () => {
    await store(1, { 'manifest.json': '1', 'config.yml': 'a: 1\nb: 2\n', 'gone.txt': 'x\n', 'same.txt': 's\n' })
    await store(2, { 'manifest.json': '2', 'config.yml': 'a: 1\nb: 3\n', 'new.txt': 'y\n', 'same.txt': 's\n' })
    expect(await diff(world.viewer, 2, 1)).toEqual({
      fileCount: 3,
      files: [
        {
          path: 'config.yml',
          change: 'CHANGED',
          diff: '--- a/config.yml\n+++ b/config.yml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n',
        },
        { path: 'gone.txt', change: 'REMOVED', diff: '--- a/gone.txt\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-x\n' },
        { path: 'new.txt', change: 'ADDED', diff: '--- /dev/null\n+++ b/new.txt\n@@ -0,0 +1,1 @@\n+y\n' },
      ],
    })
    expect(await diff(world.viewer, 2, 2)).toEqual({ fileCount: 0, files: [] })
    expect(await diff(world.viewer, 2, 77)).toBeNull()
  })

  test('what is no text, too large or too different has no lines, and holds nobody up', async () => {
    const lines = (mark: string, count: number) => Array.from({ length: count }, (_, n) => `${mark}${n}\n`).join('')
    await store(3, { 'config.yml': '', binary: Uint8Array.of(0, 1), large: 'x', other: lines('a', 50_000) })
    await store(4, {
      'config.yml': '',
      binary: Uint8Array.of(0, 2),
      large: 'y'.repeat(1024 * 1024 + 1),
      other: lines('b', 50_000),
    })
    const answer = await diff(world.admin, 4, 3)
    expect(answer?.files.map(({ path, diff: text }) => [path, text])).toEqual([
      ['binary', null],
      ['large', null],
      ['other', null],
    ])
  })

  test('the first files are shown, the others counted', async () => {
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`f${n}`, 'x\n']))
    await store(5, { 'config.yml': '' })
    await store(6, { 'config.yml': '', ...many })
    const answer = await diff(world.admin, 6, 5, 200)
    expect([answer?.fileCount, answer?.files.length]).toEqual([300, 200])
    expect(answer?.files.every(({ diff: text }) => text?.includes('+x'))).toBe(true)
    const { errors } = await app.answer(world.admin, query, { id: world.clusterId, version: 6, against: 5, first: 201 })
    expect(errors?.[0]?.extensions?.code).toBe('BAD_USER_INPUT')
  })

  test('a plain node sees the shared files and its own; an admin node sees all', async () => {
    const files = (mark: string) => ({
      'config.yml': mark,
      [`nodes/${world.nodeId}.yml`]: mark,
      [`nodes/${world.adminNodeId}.yml`]: mark,
      [`certs/${world.nodeId}.crt`]: mark,
      [`certs/${world.adminNodeId}.crt`]: mark,
    })
    await store(7, files('before\n'))
    await store(8, files('after\n'))
    const paths = async (token: string) => (await diff(token, 8, 7))?.files.map(({ path }) => path).sort()
    expect(await paths(world.nodeToken)).toEqual(
      [`certs/${world.nodeId}.crt`, 'config.yml', `nodes/${world.nodeId}.yml`].sort(),
    )
    expect(await paths(world.adminNodeToken)).toEqual(Object.keys(files('')).sort())
  })

  test('is found once: whoever asks again is answered without the archives, and asked each time whether it may', async () => {
    await store(21, { 'config.yml': 'a: 1\n' })
    await store(22, { 'config.yml': 'a: 2\n' })
    const first = await diff(world.admin, 22, 21)
    app.takeStatements()
    expect(await diff(world.viewer, 22, 21)).toEqual(first)
    const archives = app.takeStatements().filter((sql) => sql.includes('config_bundles') && /\bdata\b/.test(sql))
    expect(archives).toEqual([])
    await app.database.client.configBundle.deleteMany({ where: { clusterId: world.clusterId, version: 21 } })
    expect(await diff(world.viewer, 22, 21)).toBeNull()
  })
})

describe('a comparison', () => {
  test('stops in the middle of an archive when nobody waits for it any more', async () => {
    const files = Array.from({ length: 500 }, (_, index) => ({
      path: `f${index}`,
      content: Buffer.alloc(20_000, index),
    }))
    const archive = await packBundle(files)
    const leaving = new AbortController()
    let seen = 0
    const comparing = BundleComparison.of(
      { before: archive, after: archive },
      () => {
        seen += 1
        if (seen === 10) leaving.abort(new Error('left'))
        return true
      },
      leaving.signal,
    )
    await expect(comparing).rejects.toThrow('left')
    expect(seen).toBeLessThan(files.length / 2)
  })
})
