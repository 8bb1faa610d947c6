import { spawnSync } from 'node:child_process'

import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'

import { isAtLeast } from '../../src/nebula/version.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { nebulaBuilds } from '../support/nebula-versions.ts'
import { eventually } from '../support/eventually.ts'
import { Site } from './support/site.ts'

const builds = nebulaBuilds()
const older = builds.find(({ version }) => !isAtLeast(version, '1.9.0'))
const newer = builds.find(({ version }) => isAtLeast(version, '1.9.0'))

const everybody = { port: 'any', proto: 'any', host: 'any' }
const open = { inbound: [everybody], outbound: [everybody] }
/** For an older Nebula, the rule without its localCidr: for everybody, to every address. */
const narrow = { inbound: [{ port: '443', proto: 'tcp', host: 'any', localCidr: '192.168.77.0/24' }], outbound: [] }

const versions = `${older?.version ?? 'none before 1.9'}, then ${newer?.version ?? 'none from 1.9 on'}`
const testWithBoth = older && newer ? test : test.skip

describeWithNebula('an agent whose Nebula lets more in than the firewall says', () => {
  let site: Site
  let nodeId: string
  let clusterId: string
  beforeAll(async () => {
    site = await Site.open()
    const { enrollment } = await site.enroll({ name: 'old' })
    nodeId = enrollment.nodeId
    clusterId = enrollment.clusterId
  })
  afterEach(() => site.stopAgents())
  afterAll(() => site.close())

  const node = () => site.node(nodeId)
  const wanted = () => site.wanted()
  const runs = (version: number) =>
    eventually(
      `version ${version} runs`,
      node,
      (seen) => seen.runningConfigVersion === version && seen.lastError === null,
    )
  /** Past the API, which refuses it while the node reports an older Nebula: as if it had not reported yet. */
  const set = async (firewall: object) => {
    await site.app.database.client.cluster.update({ where: { id: clusterId }, data: { firewall } })
    await site.mutate('publishClusterConfig', { clusterId })
    return wanted()
  }
  const refuses = (pattern: RegExp) => site.reports(nodeId, pattern)
  /** The Nebulas of this site. */
  const running = (): string[] => {
    const { stdout } = spawnSync('pgrep', ['-f', `nebula -config ${site.stateDir}`], { encoding: 'utf8' })
    return stdout.split('\n').filter((pid) => pid !== '')
  }
  const rules = async () => {
    const { firewall } = JSON.parse(await site.read(clusterId, 'current', 'config.yml')) as { firewall: object }
    return JSON.stringify(firewall)
  }

  testWithBoth(`keeps what it had, and takes the version once its Nebula is newer: ${versions}`, async () => {
    await site.run(site.stateDir, older?.nebula)
    const good = await set(open)
    await runs(good)
    const before = await rules()
    const wide = await set(narrow)
    const { runningConfigVersion } = await refuses(/firewall\.inbound\.0\.local_cidr lets more in with Nebula 1\.[678]/)
    expect({ runningConfigVersion, rules: await rules() }).toEqual({ runningConfigVersion: good, rules: before })
    // The version is remembered as one that does not run here, and the reason ends with the older Nebula.
    await site.stopAgents()
    await site.run(site.stateDir, newer?.nebula)
    await runs(wide)
    expect(await rules()).toContain('local_cidr')
  })

  testWithBoth(`does not start what a newer Nebula took: ${newer?.version}, then ${older?.version}`, async () => {
    await site.run(site.stateDir, newer?.nebula)
    await runs(await set(narrow))
    expect(running()).toHaveLength(1)
    await site.stopAgents()
    await site.run(site.stateDir, older?.nebula)
    await refuses(/local_cidr lets more in.*it is tried again/)
    expect(running()).toEqual([])
    await runs(await set(open))
  })
})
