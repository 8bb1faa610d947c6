import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { ClusterFolder } from '../../src/agent/enrolment-state.ts'
import { endLeftOver } from '../../src/agent/left-over.ts'
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
  async function start(words: readonly string[], options: { uid?: number } = {}): Promise<ChildProcess> {
    const child = spawn('/bin/sh', ['-c', 'while :; do sleep 1; done', ...words], { stdio: 'ignore', ...options })
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

  test('ends a Nebula that was left behind by an agent of the same user', async () => {
    const nebula = await start(['-config', folder.file('config.yml')])
    const ended = once(nebula, 'exit')
    await endLeftOver(folder.file('config.yml'), createLog('silent'))
    await ended
  })

  // Only root can start a process of somebody else.
  const testAsRoot = process.getuid?.() === 0 ? test : test.skip
  testAsRoot('is not kept from starting by what another user calls a process', async () => {
    const posing = await start(['agent', 'run', '-config', folder.file('config.yml')], { uid: 65534 })
    await endLeftOver(folder.file('config.yml'), createLog('silent'))
    expect(posing.exitCode).toBeNull()
    expect(posing.signalCode).toBeNull()
  })
})
