import { randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { gzipSync } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { FairQueue } from '../../src/base/limits/fair-queue.ts'
import { bundleOf, endBlocks, rawConfigText, rawEntry, rawHeader } from '../bundle/support.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { send } from '../support/multipart.ts'
import { fileMark } from '../support/schema-walk.ts'
import { createWorld, type World } from '../support/world.ts'

const MiB = 1024 * 1024
const gzip = (...parts: Uint8Array[]) => new Uint8Array(gzipSync(Buffer.concat(parts)))
const yaml = async (text: string) => new Uint8Array(await bundleOf({ name: 'more.yml', content: text }))

/** What must become of each: whose error it is, and nothing stored. */
const corpus: readonly (readonly [
  name: string,
  archive: () => Promise<Uint8Array<ArrayBuffer>> | Uint8Array<ArrayBuffer>,
  error: string,
])[] = [
  ['no gzip at all', () => new Uint8Array(randomBytes(MiB)), 'ValidationError'],
  [
    'a gzip that says it is one and is noise',
    () => new Uint8Array(Buffer.concat([Buffer.from('1f8b0800', 'hex'), randomBytes(MiB)])),
    'ValidationError',
  ],
  [
    'a bomb of 100 MiB',
    () => gzip(rawConfigText, rawHeader({ name: 'zeros', size: 60 * MiB }), Buffer.alloc(100 * MiB)),
    'LimitError',
  ],
  [
    'a header that promises more than any archive has',
    () => gzip(rawConfigText, rawHeader({ name: 'x', size: 2 ** 33 - 1 })),
    'LimitError',
  ],
  [
    'a link out of the archive',
    () => gzip(rawConfigText, rawHeader({ name: 'x', type: '2' }), endBlocks),
    'ValidationError',
  ],
  [
    'a path out of the archive',
    () => gzip(rawConfigText, rawEntry({ name: '../../etc/passwd' }, 'x'), endBlocks),
    'ValidationError',
  ],
  [
    'a hundred thousand entries',
    () =>
      gzip(
        rawConfigText,
        ...Array.from({ length: 100_000 }, (_, i) => rawHeader({ name: `f${i}`, size: 0 })),
        endBlocks,
      ),
    'LimitError',
  ],
  ['YAML that is nested ten thousand levels deep', () => yaml(`a: ${'['.repeat(10_000)}`), 'ValidationError'],
  ['YAML of a million tokens', () => yaml(`a: [${'1,'.repeat(500_000)}1]\n`), 'ValidationError'],
  [
    'YAML whose aliases double with each line',
    () =>
      yaml(`a0: &a0 [1]\n${Array.from({ length: 40 }, (_, i) => `a${i + 1}: &a${i + 1} [*a${i}, *a${i}]\n`).join('')}`),
    'ValidationError',
  ],
  [
    'YAML with a key twice among fifty thousand',
    () => yaml(`${Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join('')}k0: 1\n`),
    'ValidationError',
  ],
  ['an archive that ends in the middle', async () => (await yaml('a: 1\n')).slice(0, 100), 'ValidationError'],
]

const mutation = `mutation ($input: CreateConfigBundleInput!) {
  createConfigBundle(input: $input) { __typename ... on Error { message } } }`

describe('archives that are sent to do harm', () => {
  let app: TestApp
  let greedy: World
  let modest: World
  // One at a time, so that the order of answers is the order of turns.
  const expensive = new FairQueue({ running: 1, waitingOfOwner: 64, waiting: 128 })
  beforeAll(async () => {
    app = await startApp('sqlite', { expensive })
    greedy = await createWorld(app, 'greedy', randomUUID())
    modest = await createWorld(app, 'modest', randomUUID())
  })
  afterAll(() => app.close())

  async function upload(of: World, archive: Uint8Array<ArrayBuffer>) {
    const input = { clusterId: of.clusterId, archive: fileMark }
    const { status, text } = await send(app, of.admin, mutation, { input }, archive)
    const { data } = JSON.parse(text) as { data?: { createConfigBundle: { __typename: string; message?: string } } }
    return { status, ...data?.createConfigBundle }
  }

  test.each(corpus)('%s: refused, with a reason, and nothing is stored', async (_name, archive, error) => {
    const before = await app.database.client.configBundle.count()
    const answer = await upload(greedy, await archive())
    expect(answer).toMatchObject({ status: 200, __typename: error })
    expect(answer.message).toMatch(/./)
    expect(await app.database.client.configBundle.count()).toBe(before)
  })

  test('all of them at once leave another tenant its turn: it waits behind one of them at the most', async () => {
    const archives = await Promise.all(corpus.slice(0, 8).map(async ([, archive]) => archive()))
    const waiting = (count: number) => eventually(`${count} wait`, () => expensive.size.waiting >= count)
    // Nothing begins before all have come.
    const beginning = new AbortController()
    const held = expensive.run('nobody', new AbortController().signal, () => once(beginning.signal, 'abort'))
    let done = 0
    const hostile = archives.map((archive) =>
      upload(greedy, archive).then(() => {
        done += 1
      }),
    )
    await waiting(archives.length)
    const small = upload(modest, new Uint8Array(await bundleOf())).then((answer) => ({ answer, done }))
    await waiting(archives.length + 1)
    beginning.abort()
    await held
    const { answer, done: before } = await small
    expect(answer).toMatchObject({ __typename: 'CreateConfigBundlePayload' })
    // The first one's answer and the one behind the small one's may be written at the same time as that.
    expect(before).toBeLessThanOrEqual(2)
    await Promise.all(hostile)
  })
})
