import { createHash } from 'node:crypto'
import { deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'
import { bundleOf, configText, endBlocks, invalidArchive, rawConfigText, refusal, tarOf } from './support.ts'

const plain = await tarOf([configText])
const good = await bundleOf(
  { name: 'nodes/a.yml', content: 'tun:\n  mtu: 1300\n' },
  { name: 'notes.bin', content: '\0' },
)

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('a good bundle', () => {
  test('is kept as it came, with the hash of the archive and of every file, sorted by path', async () => {
    const bundle = await inspectBundle('somebody', good)
    const sha256 = (bytes: string | Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
    expect(Buffer.from(bundle.data).equals(good)).toBe(true)
    expect(bundle).toMatchObject({ sha256: sha256(good), size: good.length })
    expect(bundle.files).toEqual([
      { path: 'config.yml', size: configText.content.length, sha256: sha256(configText.content) },
      { path: 'nodes/a.yml', size: 17, sha256: sha256('tun:\n  mtu: 1300\n') },
      { path: 'notes.bin', size: 1, sha256: sha256('\0') },
    ])
  })

  test.each([1, 511, 65_536])('is the same one when it arrives in pieces of %i bytes', async (size) => {
    expect(await inspectBundle('somebody', inPieces(good, size))).toEqual(await inspectBundle('somebody', good))
  })

  test('does not change when the caller uses its buffer again', async () => {
    const buffer = new Uint8Array(50)
    async function* reused(): AsyncGenerator<Uint8Array, void> {
      for await (const piece of inPieces(good, buffer.length)) {
        buffer.set(piece)
        yield buffer.subarray(0, piece.length)
        buffer.fill(0)
      }
    }
    expect(await inspectBundle('somebody', reused())).toEqual(await inspectBundle('somebody', good))
  })

  test('may be packed as `tar -C folder .` does it: with folders and with ./ before every name', async () => {
    const entries = [
      { name: './', type: 'directory' as const },
      { name: './config.yml', content: configText.content },
      { name: './nodes/', type: 'directory' as const },
      { name: './nodes/a.yml', content: 'tun: {}\n' },
    ]
    expect(await refusal(gzipSync(await tarOf(entries)))).toBe('accepted: config.yml nodes/a.yml')
  })

  test('may be a downloaded one, with the files that the publisher writes', async () => {
    const published = ['manifest.json', 'manifest.sig', 'ca.crt', 'nodes/a.yml', 'certs/a.crt']
    const archive = await bundleOf(...published.map((name) => ({ name, content: 'tun: {}\n' })))
    expect(await refusal(archive)).toBe(`accepted: ${['config.yml', ...published].sort().join(' ')}`)
  })

  test('may be compressed as several gzip members, as parallel compressors do', async () => {
    const members = Buffer.concat([gzipSync(plain.subarray(0, 700)), gzipSync(plain.subarray(700))])
    expect(await refusal(members)).toBe('accepted: config.yml')
  })
})

describe('the gzip', () => {
  test.each([
    ['nothing', new Uint8Array(), 'ends before its gzip is complete'],
    ['a tar that is not compressed', plain, 'is not a gzip file'],
    ['zlib data', deflateSync(plain), 'is not a gzip file'],
    ['half an archive', good.subarray(0, good.length / 2), 'ends before its gzip is complete'],
    ['an archive without its last byte', good.subarray(0, -1), 'ends before its gzip is complete'],
    ['other bytes after it', Buffer.concat([good, Buffer.from('more')]), 'has other bytes after the end of its gzip'],
    ['zeros after it', Buffer.concat([good, Buffer.alloc(9)]), 'has other bytes after the end of its gzip'],
    [
      'a wrong checksum',
      Buffer.concat([good.subarray(0, -8), Buffer.alloc(8)]),
      'is a damaged gzip file (incorrect data check)',
    ],
  ])('%s is refused', async (_, archive, reason) => {
    expect(await refusal(archive)).toBe(invalidArchive(reason))
    expect(await refusal(inPieces(archive, 7))).toBe(invalidArchive(reason))
  })
})

const foldersOnly = await tarOf([{ name: 'nodes', type: 'directory' }])
const withoutConfig = await tarOf([{ name: 'ca.crt' }])
const nestedConfig = await tarOf([{ name: 'mine/config.yml', content: configText.content }])

describe('the tar', () => {
  const ends = invalidArchive('is not a whole tar: it ends after config.yml without an end mark')
  const none = invalidArchive('is not a whole tar: there is no header at its start')
  test.each([
    ['nothing', Buffer.alloc(0), invalidArchive('is not a whole tar: it ends at its start without an end mark')],
    ['text', Buffer.alloc(2048, 'no tar'), none],
    ['no end mark', rawConfigText, ends],
    ['half an end mark', Buffer.concat([rawConfigText, Buffer.alloc(512)]), ends],
    ['half a block at its end', Buffer.concat([rawConfigText, endBlocks, Buffer.alloc(100)]), ends],
    [
      'half a file',
      rawConfigText.subarray(0, 512),
      'ValidationError: input.archive: config.yml: the archive ends in the middle of it',
    ],
    [
      'a second tar after the end mark',
      Buffer.concat([rawConfigText, endBlocks, rawConfigText, endBlocks]),
      invalidArchive('goes on after its end mark'),
    ],
    ['no file', endBlocks, invalidArchive('has no file in it')],
    ['folders only', foldersOnly, invalidArchive('has no file in it')],
    ['no config.yml', withoutConfig, invalidArchive('has no config.yml at its root')],
    [
      'config.yml in a folder',
      nestedConfig,
      invalidArchive(
        'has no config.yml at its root (there is mine/config.yml: pack what is in the folder, not the folder)',
      ),
    ],
  ])('%s is refused', async (_, tar, reason) => {
    expect(await refusal(gzipSync(tar))).toBe(reason)
  })
})

test('what reading the upload itself throws comes through as it is', async () => {
  const gone = new Error('the client went away')
  async function* broken(): AsyncGenerator<Uint8Array, void> {
    yield good.subarray(0, 20)
    throw gone
  }
  await expect(inspectBundle('somebody', broken())).rejects.toBe(gone)
})
