import { spawnSync } from 'node:child_process'
import { gzipSync } from 'node:zlib'

import { describe, expect, test } from '@jest/globals'

import { SliceError } from '../../src/nebula/bundle/slice.ts'
import { readSlice } from '../../src/nebula/bundle/slice-archive.ts'
import { readTar, TarError, writeTar } from '../../src/nebula/bundle/tar.ts'

const files = [
  { path: 'config.yml', content: Buffer.from('punchy: {}\n') },
  { path: 'empty', content: Buffer.alloc(0) },
  { path: `deep/${'x'.repeat(120)}.txt`, content: Buffer.from('a') },
  { path: 'füße.txt', content: Buffer.alloc(513, 'b') },
]

describe('a tar', () => {
  test('is read as it was written', () => {
    expect([...readTar(writeTar(files))].map(([path, content]) => ({ path, content }))).toEqual(files)
  })

  test('is what tar itself reads', () => {
    const { stdout, stderr } = spawnSync('tar', ['-tf', '-', '--quoting-style=literal'], {
      input: writeTar(files),
      encoding: 'utf8',
    })
    expect([stdout, stderr]).toEqual([`${files.map(({ path }) => path).join('\n')}\n`, ''])
  })

  test('can be put together of parts', () => {
    const parts = Buffer.concat([writeTar(files.slice(0, 2), false), writeTar(files.slice(2))])
    expect(parts.equals(writeTar(files))).toBe(true)
  })

  const tar = writeTar(files.slice(0, 1))
  const changed = (at: number, text: string): Buffer => {
    const bytes = Buffer.from(tar)
    bytes.write(text, at, 'latin1')
    bytes.fill(' ', 148, 156)
    bytes.write(
      `${bytes
        .subarray(0, 512)
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')} `,
      148,
      'latin1',
    )
    return bytes
  }

  test.each([
    ['is not a whole tar', tar.subarray(0, -1024)],
    ['is not a whole tar', tar.subarray(0, 600)],
    ['is not a whole tar', Buffer.alloc(0)],
    ['is not a whole tar', Buffer.from(tar).fill('x', 0, 3)],
    ['is not a whole tar', Buffer.concat([tar, Buffer.from('x')])],
    ['has "config.yml", which is no regular file', changed(156, '2')],
    ['has "config.yml" without a size', changed(124, 'size')],
    ['has "config.yml" twice', writeTar([...files.slice(0, 1), ...files.slice(0, 1)])],
  ])('that %s is refused', (message, bytes) => {
    expect(() => readTar(bytes)).toThrow(TarError)
    expect(() => readTar(bytes)).toThrow(message)
  })
})

describe('a slice that arrives', () => {
  test('is unpacked in memory', async () => {
    expect([...(await readSlice(gzipSync(writeTar(files)))).keys()]).toEqual(files.map(({ path }) => path))
  })

  test.each([
    ['is larger than 10 MiB', Buffer.alloc(11 * 1024 * 1024)],
    ['unpacks to more than 64 MiB', gzipSync(Buffer.alloc(65 * 1024 * 1024))],
    ['incorrect header check', Buffer.from('not a gzip')],
    ['is not a whole tar', gzipSync('not a tar')],
  ])('and %s is refused', async (message, bytes) => {
    await expect(readSlice(bytes)).rejects.toThrow(SliceError)
    await expect(readSlice(bytes)).rejects.toThrow(`the slice: ${message}`)
  })
})
