import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'

import { describeWithNebula } from '../support/nebula.ts'
import { eventually } from '../support/eventually.ts'
import { Site } from './support/site.ts'

describeWithNebula('an agent that starts', () => {
  let site: Site
  let nodeId: string
  let clusterId: string

  beforeAll(async () => {
    site = await Site.open()
    const { enrollment } = await site.enroll({ name: 'starter' })
    nodeId = enrollment.nodeId
    clusterId = enrollment.clusterId
  })
  afterEach(() => site.stopAgents())
  afterAll(() => site.close())

  const reports = () =>
    eventually(
      'it reports',
      () => site.node(nodeId),
      ({ lastSeenAt }) => lastSeenAt !== null,
    )
  const forget = () => site.app.database.client.node.update({ where: { id: nodeId }, data: { lastSeenAt: null } })
  const other = (name: string) => join(site.stateDir, name)

  test('ends the Nebula that an agent before it left when it was killed', async () => {
    await site.run()
    await reports()
    await site.stopAgents()
    await forget()
    const config = join(site.stateDir, clusterId, 'current', 'config.yml')
    const left = spawn('nebula', ['-config', config], { stdio: 'ignore' })
    const ended = once(left, 'exit')
    await once(left, 'spawn')
    await site.run()
    await ended
    await reports()
  })

  test('leaves a cluster aside whose enrollment failed, and says of one that is damaged what to do', async () => {
    const [unfinished, damaged] = ['11111111-2222-4333-8444-555555555555', '22222222-2222-4333-8444-555555555555']
    await forget()
    await mkdir(other(unfinished))
    await writeFile(join(other(unfinished), 'host.key'), 'made for an attempt that failed')
    await mkdir(other(damaged))
    await writeFile(join(other(damaged), 'agent.json'), '{')
    site.takeLog()
    await site.run()
    await reports()
    const complaints = site.takeLog().filter(({ level }) => level >= 50)
    expect(complaints.map(({ reason }) => reason)).toEqual([
      expect.stringMatching(new RegExp(`${damaged}/agent.json is damaged: orrery agent leave --cluster ${damaged}`)),
    ])
    await Promise.all([unfinished, damaged].map((name) => rm(other(name), { recursive: true })))
  })

  test('tries again what did not run when nothing had run before: the machine may have been mended', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    const { enrollment, folder } = await site.enroll({ stateDir })
    const nebula = join(stateDir, 'nebula')
    const says = (words: string) =>
      writeFile(nebula, `#!/bin/sh\ncase "$1" in -config) ${words};; *) exec nebula "$@";; esac\n`, { mode: 0o755 })
    await says('echo "level=error msg=\\"no tunnel device\\"" >&2; exit 1')
    await site.run(stateDir, nebula)
    const failed = ({ lastError }: { lastError: string | null }) => lastError?.includes('no tunnel device') === true
    await eventually('it reports', () => site.node(enrollment.nodeId), failed)
    expect(await folder.read('current', 'config.yml')).toBeNull()
    await site.stopAgents()
    await says('exec nebula "$@"')
    await site.run(stateDir, nebula)
    const runs = ({
      lastError,
      runningConfigVersion,
    }: {
      lastError: string | null
      runningConfigVersion: number | null
    }) => lastError === null && runningConfigVersion !== null
    await eventually('it runs', () => site.node(enrollment.nodeId), runs)
    await site.stopAgents()
    await rm(stateDir, { recursive: true })
  })

  test('with nothing to follow says how to enroll', async () => {
    const empty = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    await expect(site.run(empty)).rejects.toThrow(/enrolled in no cluster .*orrery agent enroll/)
    await rm(empty, { recursive: true })
  })
})
