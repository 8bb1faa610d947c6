import { Readable } from 'node:stream'
import { createGzip, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { checkYamlInThread } from '../../src/domain/bundles/yaml/yaml-thread.ts'
import { expectShortTicks } from './ticks.ts'
import { configText, endBlocks, invalid, paxRecord, rawConfigText, rawEntry, rawHeader, refusal } from './support.ts'

const MiB = 1024 * 1024

/** A gzip of the pieces; made as a stream, since the bombs are larger than the tests should be. */
function gzipOf(pieces: Iterable<Uint8Array>): AsyncIterable<Uint8Array> {
  return Readable.from(pieces).pipe(createGzip({ level: 9 })) as AsyncIterable<Uint8Array>
}

function* zeros(mebibytes: number): Generator<Uint8Array, void> {
  for (let i = 0; i < mebibytes; i++) yield Buffer.alloc(MiB)
}

const gzipHeader = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
const only = 'only files and folders are allowed'

describe('a bomb costs no more than the bounds', () => {
  test('200 MiB of zeros in a file that says so', async () => {
    const archive = gzipOf([rawConfigText, rawHeader({ name: 'zeros', size: 200 * MiB }), ...zeros(200), endBlocks])
    expect(await refusal(archive)).toBe('LimitError: zeros: is larger than 64 MiB')
  })

  test('200 MiB of zeros in small files: unpacking stops at 64 MiB, memory stays small, other work goes on', async () => {
    function* pieces(): Generator<Uint8Array, void> {
      yield rawConfigText
      for (let i = 0; i < 200; i++) yield* [rawHeader({ name: `${i}`, size: MiB }), Buffer.alloc(MiB)]
      yield endBlocks
    }
    const parts = []
    for await (const part of gzipOf(pieces())) parts.push(part)
    const archive = Buffer.concat(parts)
    expect(archive.length).toBeLessThan(MiB)
    expect(await expectShortTicks(() => refusal(archive))).toBe('LimitError: the archive unpacks to more than 64 MiB')
  })

  test('zeros after the end mark', async () => {
    expect(await refusal(gzipOf([rawConfigText, endBlocks, ...zeros(70)]))).toBe(
      'LimitError: the archive unpacks to more than 64 MiB',
    )
  })

  test.each([
    // Deflate's stored blocks with nothing in them, for ever: a gzip that never ends and never gives a byte.
    [
      'more than 10 MiB',
      gzipHeader,
      Buffer.from([0, 0, 0, 0xff, 0xff]),
      'LimitError: the archive is larger than 10 MiB',
    ],
    [
      'a link',
      gzipSync(rawHeader({ name: 'x', type: '2' })),
      Buffer.from('\0'),
      invalid('x', `is a symbolic link; ${only}`),
    ],
  ])('an upload is read no further than to %s', async (_, head, tail, reason) => {
    let pulled = 0
    let closed = false
    async function* upload(): AsyncGenerator<Uint8Array, void> {
      try {
        yield head
        for (const piece = Buffer.alloc(65_535, tail); ; pulled += piece.length) yield piece
      } finally {
        closed = true
      }
    }
    expect(await refusal(upload())).toBe(reason)
    expect(pulled).toBeLessThan(11 * MiB)
    await new Promise(setImmediate)
    expect(closed).toBe(true)
  })

  test('a large archive in one piece is refused before it is looked at', async () => {
    expect(await refusal(new Uint8Array(10 * MiB + 1))).toBe('LimitError: the archive is larger than 10 MiB')
  })

  test('20 480 files and folders are the most', async () => {
    const entries = Array.from({ length: 20_479 }, (_, i) => rawHeader({ name: `${i}` }))
    expect(await refusal(gzipSync(Buffer.concat([rawConfigText, ...entries, endBlocks])))).toContain(
      'accepted: 0 1 10 ',
    )
    expect(
      await refusal(gzipSync(Buffer.concat([rawConfigText, ...entries, rawHeader({ name: 'x' }), endBlocks]))),
    ).toBe('LimitError: the archive has more than 20480 files and folders')
  })

  test('thousands of attributes for all entries cost nothing', async () => {
    const records = Array.from({ length: 5_000 }, (_, i) => paxRecord(`k${i}`, '1'))
      .join('')
      .slice(0, 60_000)
    const whole = records.slice(0, records.lastIndexOf('\n') + 1)
    const own = rawEntry({ name: 'PaxHeader', type: 'x' }, paxRecord('comment', 'x'))
    const entries = Array.from({ length: 10_000 }, (_, i) => Buffer.concat([own, rawHeader({ name: `${i}` })]))
    const tar = Buffer.concat([rawConfigText, rawEntry({ name: 'g', type: 'g' }, whole), ...entries, endBlocks])
    const archive = gzipSync(tar)
    expect(await expectShortTicks(() => refusal(archive))).toContain('accepted: 0 1 10 ')
  })
})

describe('other work goes on while a bundle is inspected', () => {
  test.each([
    ['60 MiB in one file', [{ path: 'a.bin', content: Buffer.alloc(60 * MiB, 'lorem ipsum ') }]],
    [
      '50 MiB in 20 000 files',
      Array.from({ length: 20_000 }, (_, i) => ({ path: `f/${i}.txt`, content: Buffer.alloc(2_048, `${i} `) })),
    ],
    [
      'a blocklist of 14 000 fingerprints',
      [{ path: 'big.yml', content: `pki:\n  blocklist:\n${`    - ${'0123456789abcdef'.repeat(4)}\n`.repeat(14_000)}` }],
    ],
    [
      '2 000 nodes',
      Array.from({ length: 2_000 }, (_, i) => ({
        path: `nodes/${i}.yml`,
        content: `lighthouse: {hosts: [10.42.0.1, 10.42.0.2]}\ntun:\n  mtu: 1300\n# ${i}\n`,
      })),
    ],
  ])('%s', async (_, files) => {
    const archive = await packBundle([{ path: configText.name, content: configText.content }, ...files])
    const { files: found } = await expectShortTicks(() => inspectBundle('somebody', archive))
    expect(found).toHaveLength(files.length + 1)
  })
})

describe('the YAML thread', () => {
  const file = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text))

  test('answers in order, whoever asks', async () => {
    const asked = ['a: 1', 'a: [', 'b: 1'].map((text) =>
      checkYamlInThread('somebody', { files: [file(text)], config: null }),
    )
    expect((await Promise.all(asked)).map((report) => report?.broken?.index ?? null)).toEqual([null, 0, null])
  })

  test('is given up when it takes too long, and the next one gets a new one', async () => {
    const slow = `a: [${'1,'.repeat(45_000)}1]`
    const many = Array.from({ length: 60 }, () => file(slow))
    expect(await checkYamlInThread('somebody', { files: many, config: null }, 1_000)).toBeNull()
    expect((await checkYamlInThread('somebody', { files: [file('a: [')], config: null }))?.broken).toMatchObject({
      index: 0,
      line: 1,
    })
  })
})
