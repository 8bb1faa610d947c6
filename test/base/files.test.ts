import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { createWhole, writeWhole } from '../../src/base/files.ts'
import { printable, printableLine } from '../../src/base/texts/printable.ts'
import { lineProblem } from '../../src/base/texts/text.ts'

describe('a file that must survive a power cut', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-files-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  test('is its owner alone to read, and leaves no draft', async () => {
    await writeWhole(join(folder, 'a'), 'one')
    await writeWhole(join(folder, 'a'), 'two')
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('two')
    expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o600)
  })

  test('is as it was before, where a write fails, and no draft stays', async () => {
    await writeWhole(join(folder, 'a'), 'one')
    await expect(writeWhole(join(folder, 'a'), { toString: null } as unknown as string)).rejects.toThrow()
    expect(await readdir(folder)).toEqual(['a'])
    expect(await readFile(join(folder, 'a'), 'utf8')).toBe('one')
  })

  test('is made once, however many make it', async () => {
    const made = await Promise.all(['one', 'two', 'three'].map((text) => createWhole(join(folder, 'a'), text)))
    expect(made.filter((each) => each)).toHaveLength(1)
    expect(await readdir(folder)).toEqual(['a'])
  })

  // The calls are seen in a program of its own, since a test's own imports of fs cannot be watched.
  test('a rotated secret is on the disk, with the folder that names it, before anything is sealed under it', async () => {
    const program = join(folder, 'rotate.mts')
    await writeFile(
      program,
      `import fs from 'node:fs'
      import { syncBuiltinESMExports } from 'node:module'
      import { basename } from 'node:path'
      const calls: string[] = []
      const { open, rename, link } = fs.promises
      fs.promises.open = async (path, ...rest) => {
        const handle = await open(path, ...rest)
        const sync = handle.sync.bind(handle)
        handle.sync = () => { calls.push('sync ' + basename(String(path))); return sync() }
        return handle
      }
      fs.promises.rename = (from, to) => { calls.push('rename to ' + basename(String(to))); return rename(from, to) }
      fs.promises.link = (from, to) => { calls.push('link to ' + basename(String(to))); return link(from, to) }
      syncBuiltinESMExports()
      const { keepNext, keptSecret, takeNext } = await import(${JSON.stringify(resolve('src/auth/secret.ts'))})
      await keptSecret(process.argv[2])
      await keepNext(process.argv[2], 'next')
      await takeNext(process.argv[2])
      console.log(JSON.stringify(calls.map((call) => call.replace(/secret-[0-9a-f]+/, 'secret'))))`,
    )
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      resolve('node_modules/tsx/dist/loader.mjs'),
      program,
      join(folder, 'data'),
    ])
    expect(JSON.parse(stdout)).toEqual([
      expect.stringMatching(/^sync orrery-files-/),
      ...['sync secret.draft', 'link to secret', 'sync data'],
      ...['sync secret.next.draft', 'rename to secret.next', 'sync data'],
      ...['sync secret.previous.draft', 'rename to secret.previous', 'sync data'],
      ...['rename to secret', 'sync data'],
    ])
  })
})

test('what comes from elsewhere cannot drive a terminal', () => {
  expect(printable('web-1\u001b[2J\u0007\r\u202egnp')).toBe('web-1\\u001b[2J\\u0007\\u000d\\u202egnp')
  expect(printable('Zürich\n東京')).toBe('Zürich\n東京')
})

test('a text from elsewhere is one line of so many characters, where it is to be', () => {
  expect(printableLine(' a\n\tb\u001b[2J\u2028c ', 50)).toBe('a b\\u001b[2J c')
  expect(printableLine('x'.repeat(1_000_000), 10)).toBe(`${'x'.repeat(9)}…`)
  expect(printableLine('\u0007'.repeat(50), 20)).toHaveLength(20)
  // Never half of a character: whoever is told of it may refuse that.
  expect(printableLine('😀'.repeat(9), 10)).toBe('😀😀😀😀…')
  expect(printable('a\ud83db😀')).toBe('a\\ud83db😀')
  expect(['Zürich 東京', 'a\nb', 'a\u001b', 'a\u0085', 'a\u202e'].map((text) => lineProblem(text) === null)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
