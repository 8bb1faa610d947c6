import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmod, copyFile, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { endLeftOver } from '../../src/agent/nebula/left-over.ts'
import { becomeSoleAgent } from '../../src/agent/sole-agent.ts'
import { createLog } from '../../src/base/log.ts'

describe('the one agent of a cluster on a machine', () => {
  let stateDir: string
  let folder: ClusterFolder
  const started: ChildProcess[] = []
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'orrery-sole-'))
    folder = new ClusterFolder(stateDir, '3f0e9d3c-5f0e-4b53-9d5c-2d6a6c8b7a11')
    await mkdir(folder.path)
  })
  afterEach(async () => {
    for (const one of started.splice(0)) one.kill('SIGKILL')
    await rm(stateDir, { recursive: true })
  })

  /** A process that does nothing, with words of its own after the program's. */
  async function start(
    words: readonly string[],
    { program = '/bin/sh', uid }: { program?: string; uid?: number } = {},
  ): Promise<ChildProcess> {
    const options = uid === undefined ? {} : { uid }
    const child = spawn(program, ['-p', '-c', 'while :; do sleep 1; done', ...words], { stdio: 'ignore', ...options })
    started.push(child)
    await once(child, 'spawn')
    return child
  }

  test('refuses a second one, and gives the folder back when it ends', async () => {
    const release = await becomeSoleAgent(folder)
    await expect(becomeSoleAgent(folder)).rejects.toThrow(/another agent runs on .*: stop that one first/)
    await release()
    await (
      await becomeSoleAgent(folder)
    )()
  })

  test('takes the folder over from one that was killed', async () => {
    const killed = spawn(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(folder.file('agent.sock'))}, () => console.log('on'))`,
    ])
    await once(killed.stdout, 'data')
    await expect(becomeSoleAgent(folder)).rejects.toThrow('another agent runs')
    killed.kill('SIGKILL')
    await once(killed, 'exit')
    await (
      await becomeSoleAgent(folder)
    )()
  })

  /** A program of that name that does nothing by itself. */
  async function program(name: string, mode = 0o755): Promise<string> {
    const path = join(stateDir, name)
    await copyFile(await realpath('/bin/sh'), path)
    await chmod(path, mode)
    // Others start it, too.
    await chmod(stateDir, 0o755)
    return path
  }
  const end = (nebula = 'nebula') =>
    endLeftOver({ program: nebula, config: folder.file('config.yml') }, createLog('silent'))

  test.each([
    ['the same', 'nebula', 'nebula'],
    ['an older', 'nebula-1.9.4', '/opt/nebula-1.9.5/bin/nebula'],
    ['another', 'nebula', '/usr/local/bin/start-nebula.sh'],
  ])('ends a Nebula that was left behind by an agent of the same user, with %s program', async (_which, old, now) => {
    const nebula = await start(['-config', folder.file('config.yml')], { program: await program(old) })
    const ended = once(nebula, 'exit')
    await end(now)
    await ended
  })

  test('leaves what merely says the same words', async () => {
    const posing = await start(['agent', 'run', '-config', folder.file('config.yml')])
    await end()
    expect([posing.exitCode, posing.signalCode]).toEqual([null, null])
  })

  // Only root can start a process of somebody else.
  const testAsRoot = process.getuid?.() === 0 ? test : test.skip
  testAsRoot('is not kept from starting by what another user calls a process', async () => {
    const words = ['agent', 'run', '-config', folder.file('config.yml')]
    const posing = await start(words, { program: await program('nebula'), uid: 65534 })
    // Started by another user, with this user's rights: the kernel says that it is this user's.
    const setuid = await start(words, { program: await program('nebula-setuid', 0o4755), uid: 65534 })
    await end()
    for (const one of [posing, setuid]) expect([one.exitCode, one.signalCode]).toEqual([null, null])
  })
})
