import { spawn } from 'node:child_process'
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { deriveKeys } from '../../src/auth/keys.ts'
import { keptSecret, readSecret } from '../../src/auth/secret.ts'

describe('the secret of an installation that was given none', () => {
  let folder: string
  let dataDir: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-secret-'))
    dataDir = join(folder, 'deep', 'data')
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const file = () => join(dataDir, 'secret')
  const modeOf = async (path: string) => (await stat(path)).mode & 0o777

  test('is made once, 32 random bytes, and nobody but its owner may read it or look where it lies', async () => {
    const { secret, isNew } = await keptSecret(dataDir)
    expect(secret).toMatch(/^[0-9a-f]{64}$/)
    expect(isNew).toBe(true)
    expect(await modeOf(file())).toBe(0o600)
    expect(await modeOf(dataDir)).toBe(0o700)
    expect(await keptSecret(dataDir)).toEqual({ secret, isNew: false })
    expect(await readSecret(dataDir)).toBe(secret)
    expect(() => deriveKeys(secret)).not.toThrow()
  })

  test('is another in every installation, and no draft of it stays behind', async () => {
    const other = join(folder, 'other')
    expect((await keptSecret(dataDir)).secret).not.toBe((await keptSecret(other)).secret)
    expect(await readdir(dataDir)).toEqual(['secret'])
  })

  test('is one for all first starts at once, in one process and in several', async () => {
    const program = `
      import { keptSecret } from './src/auth/secret.ts'
      console.log(JSON.stringify(await keptSecret(${JSON.stringify(dataDir)})))`
    const startElsewhere = async () => {
      const args = ['--import', 'tsx', '--input-type=module', '-e', program]
      const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
      return JSON.parse(await text(child.stdout)) as Awaited<ReturnType<typeof keptSecret>>
    }
    const elsewhere = Array.from({ length: 3 }, startElsewhere)
    // The folder appears when the first of the processes is there; from then on this one takes part.
    while ((await readSecret(dataDir).catch(() => null)) === null && (await readdir(folder)).length === 0) {
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
    const here = Array.from({ length: 20 }, () => keptSecret(dataDir))
    const all = [...(await Promise.all(elsewhere)), ...(await Promise.all(here))]
    expect(new Set(all.map(({ secret }) => secret))).toEqual(new Set([await readSecret(dataDir)]))
    expect(all.filter(({ isNew }) => isNew)).toHaveLength(1)
    expect(await readdir(dataDir)).toEqual(['secret'])
  })

  test('is never seen half written: another process that looks all the time finds nothing or all of it', async () => {
    const folders = Array.from({ length: 50 }, (_, round) => join(folder, `round-${round}`))
    const program = `
      import { statSync } from 'node:fs'
      console.log('looking')
      const sizes = new Set()
      for (const folder of ${JSON.stringify(folders)}) {
        for (let size; size !== 65; ) {
          size = statSync(folder + '/secret', { throwIfNoEntry: false })?.size
          if (size !== undefined) sizes.add(size)
        }
      }
      console.log(JSON.stringify([...sizes]))`
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // Read from the beginning: what nobody reads is thrown away when the process ends.
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    expect((await lines.next()).value).toBe('looking')
    for (const one of folders) await keptSecret(one)
    expect((await lines.next()).value).toBe('[65]')
  })

  test('is null to whoever only reads, as long as nobody made it', async () => {
    expect(await readSecret(dataDir)).toBeNull()
    await expect(stat(dataDir)).rejects.toHaveProperty('code', 'ENOENT')
  })

  test('loses permissions that others were given, and stays the same', async () => {
    const { secret } = await keptSecret(dataDir)
    for (const mode of [0o644, 0o660, 0o777]) {
      await chmod(file(), mode)
      expect(await readSecret(dataDir)).toBe(secret)
      expect(await modeOf(file())).toBe(0o600)
    }
  })

  test.each(['', '\n', '  \n\n'])('is refused when the file holds nothing (%j), and not made anew', async (nothing) => {
    await keptSecret(dataDir)
    await writeFile(file(), nothing)
    const complaint = { name: 'SecretError', message: expect.stringMatching(/is empty: restore it .* ORRERY_SECRET/) }
    await expect(readSecret(dataDir)).rejects.toMatchObject(complaint)
    await expect(keptSecret(dataDir)).rejects.toMatchObject(complaint)
    expect(await readFile(file(), 'utf8')).toBe(nothing)
  })
})
