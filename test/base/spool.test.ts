import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { LimitError } from '../../src/base/errors.ts'
import { Spool, type SpooledFile } from '../../src/base/limits/spool.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-spool-'))
})
afterAll(() => rm(folder, { recursive: true }))

const spoolOf = (limits: { memory?: number; ofOwner?: number; all?: number }) =>
  new Spool(join(folder, 'uploads'), { memory: 100, ofOwner: 10, all: 10, ...limits })

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value)

async function contentOf(file: SpooledFile): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of file.stream()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('a spool', () => {
  test('keeps all uploads together within its memory, and gives back what was written, as often as one likes', async () => {
    const spool = spoolOf({ memory: 100 })
    const [small, large, late] = [spool.open('a'), spool.open('a'), spool.open('b')]
    await small.write(bytes(60, 1))
    for (let part = 0; part < 20; part += 1) await large.write(bytes(10_000, part))
    await late.write(bytes(50, 3))
    expect(spool.size.memory).toBeLessThanOrEqual(100)
    for (let turn = 0; turn < 2; turn += 1) {
      expect(await contentOf(small)).toEqual(Buffer.from(bytes(60, 1)))
      expect(await contentOf(large)).toEqual(
        Buffer.concat(Array.from({ length: 20 }, (_, part) => bytes(10_000, part))),
      )
      expect(await contentOf(late)).toEqual(Buffer.from(bytes(50, 3)))
    }
    for (const file of [small, large, late]) await file.close()
    expect(spool.size).toEqual({ uploads: 0, memory: 0 })
  })

  test('moves what had fitted to a file with the rest of it, in order', async () => {
    const spool = spoolOf({ memory: 100 })
    const file = spool.open('a')
    for (const part of [1, 2, 3]) await file.write(bytes(40, part))
    expect(spool.size.memory).toBe(0)
    expect(await contentOf(file)).toEqual(Buffer.concat([bytes(40, 1), bytes(40, 2), bytes(40, 3)]))
    await file.close()
  })

  test('leaves nothing in its folder, not even while an upload is there: a process that is killed leaves none either', async () => {
    const spool = spoolOf({ memory: 0 })
    const file = spool.open('a')
    await file.write(bytes(10, 1))
    expect(await readdir(join(folder, 'uploads'))).toEqual([])
    await file.close()
  })

  test('has a share for each owner, and a number for all', async () => {
    const spool = spoolOf({ ofOwner: 2, all: 3 })
    const own = [spool.open('a'), spool.open('a')]
    const refusal = refusalOf(() => spool.open('a'))
    expect(refusal).toBeInstanceOf(LimitError)
    expect((refusal as LimitError).retryAfterSeconds).toBeGreaterThanOrEqual(1)
    spool.open('b')
    expect(refusalOf(() => spool.open('c'))).toBeInstanceOf(LimitError)
    await own[0]?.close()
    // A second call frees no second place.
    await own[0]?.close()
    spool.open('c')
    expect(refusalOf(() => spool.open('d'))).toBeInstanceOf(LimitError)
  })
})

function refusalOf(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return null
}
