import { spawnSync } from 'node:child_process'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { readBundle } from '../../src/domain/bundles/read/read.ts'

const long = `nodes/${'ü'.repeat(110)}.yml`
const files = [
  { path: 'nodes/b.yml', content: 'tun:\n  mtu: 1300\n' },
  { path: 'config.yml', content: new TextEncoder().encode('punchy:\n  punch: true\n') },
  { path: 'empty', content: '' },
  { path: 'block', content: 'x'.repeat(512) },
  { path: long, content: 'tun: {}\n' },
]

describe('packing', () => {
  test('gives the same bytes for the same files, in any order', async () => {
    const first = await packBundle(files)
    expect(Buffer.from(await packBundle(files.toReversed())).equals(Buffer.from(first))).toBe(true)
  })

  test('says nothing of when, by whom and where it was done', async () => {
    const archive = await packBundle(files)
    expect([...archive.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
    const header = gunzipSync(archive).subarray(0, 512).toString('latin1')
    expect(header.slice(0, 5)).toBe('block')
    expect({ mode: header.slice(100, 107), owner: header.slice(108, 123), mtime: header.slice(136, 147) }).toEqual({
      mode: '000644 ',
      owner: '000000 \x00000000 ',
      mtime: '00000000000',
    })
    expect(header.slice(265, 329)).toBe('\0'.repeat(64))
  })

  test('is what inspection accepts, with the same files', async () => {
    const archive = await packBundle(files)
    const inspected = await inspectBundle('somebody', archive)
    expect(inspected.files.map(({ path }) => path)).toEqual(files.map(({ path }) => path).sort())
  })

  test('is what tar reads', async () => {
    const archive = await packBundle(files.filter(({ path }) => path !== long))
    const { stdout } = spawnSync('tar', ['-tzf', '-'], { input: archive, encoding: 'utf8' })
    expect(stdout).toBe('block\nconfig.yml\nempty\nnodes/b.yml\n')
  })

  test.each(['../a', '/a', './a', 'a\\b', 'nodes/', ''])('refuses the path %j', async (path) => {
    await expect(packBundle([{ path, content: 'x' }])).rejects.toThrow('input.archive')
  })

  test('refuses two files of one path', async () => {
    const twice = [
      { path: 'nodes/a.yml', content: '1' },
      { path: 'nodes/A.yml', content: '2' },
    ]
    await expect(packBundle(twice)).rejects.toThrow('nodes/a.yml and nodes/A.yml are one name on macOS and Windows')
  })
})

describe('reading a stored bundle', () => {
  test('gives back every file as it was packed', async () => {
    const read = []
    for await (const { path, content } of readBundle(await packBundle(files))) {
      read.push({ path, content: Buffer.from(content).toString() })
    }
    const packed = files.map(({ path, content }) => ({ path, content: Buffer.from(content).toString() }))
    expect(read).toEqual(packed.sort((a, b) => (a.path < b.path ? -1 : 1)))
  })

  test.each(files)('gives $path alone', async ({ path, content }) => {
    const read = []
    for await (const file of readBundle(await packBundle(files), (each) => each === path)) read.push(file)
    expect(read.map((file) => [file.path, Buffer.from(file.content).toString()])).toEqual([
      [path, Buffer.from(content).toString()],
    ])
  })

  test('reads no further than the file: what is broken behind it does not matter', async () => {
    const noise = Buffer.from(Array.from({ length: 400_000 }, (_, i) => (i * i * 2654435761) >>> 24))
    const archive = await packBundle([...files, { path: 'z', content: noise }])
    const torn = archive.subarray(0, archive.length / 2)
    const first = (wanted: string) => readBundle(torn, (path) => path === wanted).next()
    const { value } = await first('block')
    expect(Buffer.from(value?.content ?? []).toString()).toBe('x'.repeat(512))
    const read = first('z')
    await expect(read).rejects.toThrow('a stored bundle cannot be read')
    await expect(read).rejects.toHaveProperty('cause.message', expect.stringContaining('ends before its gzip'))
  })
})
