import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals'

import { statusOf } from '../../src/agent/status.ts'
import type { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { program } from '../support/orrery-process.ts'
import { eventually } from '../support/eventually.ts'
import { Site } from './support/site.ts'

/** Passes `nebula -test`; the machine does not have the address, so that Nebula ends at its start. */
const bad = 'tun:\n  disabled: true\nlisten:\n  host: 203.0.113.77\n'

describeWithNebula('an agent that was killed, or whose machine lost power, while it tried a version', () => {
  let site: Site
  /** Of a machine of its own for each test. */
  let stateDir: string
  let folder: ClusterFolder
  let nodeId: string
  /** What runs, and was proven to, before each test. */
  let good: number

  beforeAll(async () => {
    site = await Site.open()
  })
  beforeEach(async () => {
    stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    const enrolled = await site.enroll({ stateDir })
    folder = enrolled.folder
    nodeId = enrolled.enrollment.nodeId
    good = await wanted()
    await site.run(stateDir)
    await runs(good)
    await site.stopAgents()
  })
  afterEach(async () => {
    await site.stopAgents()
    await rm(stateDir, { recursive: true })
  })
  afterAll(() => site.close())

  const node = () => site.node(nodeId)
  const wanted = () => site.wanted()
  const runs = (version: number) => site.runs(nodeId, version)
  const reports = (pattern: RegExp) => site.reports(nodeId, pattern)
  const linked = async (link: string) => (await readlink(folder.file(link))).replace('versions/', '')
  const failed = async () => JSON.parse((await folder.read('failed.json')) ?? 'null') as unknown
  /** What the control plane knows of the node is forgotten, so that only what comes after can be seen. */
  const forget = () =>
    site.app.database.client.node.update({
      where: { id: nodeId },
      data: { runningConfigVersion: null, lastError: null },
    })

  /** Lays down what a power cut leaves between the switch to a version and its proof. */
  async function switchedAndCut(version: number, change: (config: object) => object = badly): Promise<string> {
    // A renewed certificate makes another generation of the version that runs.
    const name = version === good ? `${version}-2` : `${version}-1`
    await cp(folder.file('versions', await linked('proven')), folder.file('versions', name), { recursive: true })
    for (const file of ['config.yml', 'meta.json']) {
      const path = folder.file('versions', name, file)
      const content = JSON.parse(await readFile(path, 'utf8')) as { config?: object }
      const changed = content.config ? { version, config: change(content.config) } : change(content)
      await writeFile(path, JSON.stringify(changed))
    }
    await rm(folder.file('current'))
    await symlink(join('versions', name), folder.file('current'))
    return name
  }
  const badly = (config: object) => ({ ...config, listen: { host: '203.0.113.77' } })

  test('tries it once more, goes back to what was proven, says why, and takes the next good one', async () => {
    const version = await site.upload(bad)
    await switchedAndCut(version)
    await forget()
    site.takeLog()
    await site.run(stateDir)
    const { runningConfigVersion, lastError } = await reports(/Nebula did not start/)
    expect([runningConfigVersion, lastError]).toEqual([good, expect.stringContaining(`version ${version}: `)])
    expect(await failed()).toMatchObject({ version })
    expect([await linked('current'), await linked('proven')]).toEqual([`${good}-1`, `${good}-1`])
    const switches = site.takeLog().filter(({ msg }) => msg === 'switching')
    expect(switches.map((line) => line['version'])).toEqual([version])
    await site.mutate('rollbackClusterConfig', { clusterId: site.world.clusterId, version: good })
    await runs(await wanted())
    expect((await node()).lastError).toBeNull()
    expect(await failed()).toBeNull()
  })

  test('needs no control plane to go back', async () => {
    await switchedAndCut(good + 1)
    const comeBack = await site.goAway()
    await site.run(stateDir)
    await eventually(
      'it went back',
      () => linked('current'),
      (name) => name === `${good}-1`,
    )
    await eventually('it is remembered', failed, (seen) => seen !== null)
    expect(await statusOf(folder)).toMatchObject({
      version: good,
      lastError: expect.stringContaining(`version ${good + 1}: Nebula did not start`),
    })
    await comeBack()
  })

  test('keeps it when it runs after all', async () => {
    const version = await site.upload('tun:\n  disabled: true\n  mtu: 1350\n')
    const name = await switchedAndCut(version, (config) => config)
    await forget()
    await site.run(stateDir)
    expect((await runs(version)).lastError).toBeNull()
    expect([await linked('current'), await linked('proven')]).toEqual([name, name])
  })

  test('does not try it a third time: it may be why the machine goes down', async () => {
    const version = await site.upload(bad)
    const name = await switchedAndCut(version)
    await symlink(join('versions', name), folder.file('retried'))
    site.takeLog()
    await site.run(stateDir)
    await reports(new RegExp(`^version ${version}: the agent ended twice before it was proven to run`))
    await runs(good)
    expect(site.takeLog().filter(({ msg }) => msg === 'switching')).toEqual([])
    expect(await readdir(folder.file('versions'))).not.toContain(name)
    await expect(linked('retried')).rejects.toThrow(/ENOENT/)
    await site.mutate('rollbackClusterConfig', { clusterId: site.world.clusterId, version: good })
    await runs(await wanted())
  })

  test('goes back from a renewed certificate, too, and does not take the version itself for one that failed', async () => {
    const name = await switchedAndCut(good)
    await forget()
    await site.run(stateDir)
    expect((await runs(good)).lastError).toBeNull()
    expect([await linked('current'), await failed()]).toEqual([`${good}-1`, null])
    expect(await readdir(folder.file('versions'))).not.toContain(name)
  })

  test('where nothing was ever proven, tries it on and on, and does not say that it runs', async () => {
    await switchedAndCut(await site.upload(bad))
    await rm(folder.file('proven'))
    await forget()
    site.takeLog()
    await site.run(stateDir)
    const { runningConfigVersion } = await reports(/^version \d+: Nebula did not start: .*; it is tried again/)
    expect(runningConfigVersion).toBeNull()
    await site.mutate('rollbackClusterConfig', { clusterId: site.world.clusterId, version: good })
    expect((await runs(await wanted())).lastError).toBeNull()
  })

  test('also when it was killed for real, with its Nebula left behind', async () => {
    const tried = join(stateDir, 'tried')
    const nebula = join(stateDir, 'nebula')
    // Never becomes ready with the bad version, so that there is time to kill the agent.
    const hangs = `grep -q 203.0.113.77 "$2" && touch '${tried}' && while :; do sleep 0.2; done`
    await writeFile(nebula, `#!/bin/sh\ncase "$1" in -config) ${hangs};; esac\nexec nebula "$@"\n`, { mode: 0o755 })
    const args = [program, 'agent', 'run', '--state-dir', stateDir, '--nebula', nebula]
    const agent = spawn(process.execPath, args, { stdio: 'ignore' })
    const ended = once(agent, 'exit')
    const version = await site.upload(bad)
    await eventually(
      'it tries the version',
      () => readdir(stateDir),
      (names) => names.includes('tried'),
    )
    agent.kill('SIGKILL')
    await ended
    expect([await linked('current'), await linked('proven')]).toEqual([`${version}-1`, `${good}-1`])
    await forget()
    await site.run(stateDir)
    const { runningConfigVersion } = await reports(new RegExp(`^version ${version}: Nebula did not start`))
    expect(runningConfigVersion).toBe(good)
    await site.mutate('rollbackClusterConfig', { clusterId: site.world.clusterId, version: good })
    expect((await runs(await wanted())).lastError).toBeNull()
  })
})
