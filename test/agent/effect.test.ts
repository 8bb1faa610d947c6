import { mkdtemp, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import type { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { isComplaint, lineOf } from '../../src/agent/nebula-log.ts'
import { writeFolder } from '../../src/base/files.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { eventually } from '../support/eventually.ts'
import { Site } from './support/site.ts'

const good = 'tun:\n  disabled: true\n'
/** Passes `nebula -test`; the machine does not have the address, so that Nebula ends at its start. */
const bad = `${good}listen:\n  host: 203.0.113.77\n`

describeWithNebula('a version that the agent runs, or does not', () => {
  let site: Site
  let stateDir: string
  let folder: ClusterFolder
  let nodeId: string
  /** Of a machine that is deleted in each test. */
  let doomed: { readonly id: string; readonly fingerprint: string }

  beforeAll(async () => {
    site = await Site.open()
  })
  beforeEach(async () => {
    await site.upload(good)
    stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    const other = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
    const enrolled = await site.enroll({ stateDir })
    folder = enrolled.folder
    nodeId = enrolled.enrollment.nodeId
    const { enrollment } = await site.enroll({ stateDir: other })
    const { certificate } = await site.node(enrollment.nodeId)
    doomed = { id: enrollment.nodeId, fingerprint: parseNodeCertificate(certificate ?? '').fingerprint }
    await rm(other, { recursive: true })
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
  const linked = (link: string) => readlink(folder.file(link))
  const blocked = async (link = 'current') =>
    (JSON.parse((await folder.read(link, 'config.yml')) ?? '') as { pki: { blocklist: string[] } }).pki.blocklist
  const remove = () => site.mutate('deleteNode', { nodeId: doomed.id })

  test('whose reload Nebula is silent about is started anew, and runs then', async () => {
    const nebula = join(stateDir, 'nebula')
    // The signal ends at the shell, as it does in a Nebula whose reload hangs.
    const deaf = `trap '' HUP; nebula "$@" & p=$!; trap 'kill $p' TERM; wait $p; wait $p`
    await writeFile(nebula, `#!/bin/sh\ncase "$1" in -config) ${deaf};; *) exec nebula "$@";; esac\n`, { mode: 0o755 })
    await site.run(stateDir, nebula)
    await runs(await wanted())
    site.takeLog()
    await remove()
    const { lastError } = await runs(await wanted())
    expect([lastError, await blocked()]).toEqual([null, expect.arrayContaining([doomed.fingerprint])])
    expect(site.takeLog().map(({ msg }) => msg)).toContain('not shown to be in force; Nebula is started anew')
  })

  test('is not run, and what it revokes is: at once, and after the agent was started again', async () => {
    await site.run(stateDir)
    const before = await wanted()
    await runs(before)
    await site.upload(bad)
    await reports(/Nebula did not start/)
    expect(await blocked()).not.toContain(doomed.fingerprint)
    await remove()
    await reports(/^version \d+: Nebula did not start: .*; what it revokes is in force$/)
    expect((await node()).runningConfigVersion).toBe(before)
    expect([await blocked(), await linked('current')]).toEqual([
      expect.arrayContaining([doomed.fingerprint]),
      await linked('proven'),
    ])
    await site.stopAgents()
    site.takeLog()
    await site.run(stateDir)
    await eventually(
      'Nebula says that it shuts the machine out',
      () => Promise.resolve(site.takeLog()),
      (lines) => lines.some((line) => line['fingerprint'] === doomed.fingerprint && line.msg.includes('Blocklisting')),
    )
    expect((await node()).lastError).toMatch(/what it revokes is in force$/)
  })

  test('is not tried a third time after two power cuts, and what it revokes is in force all the same', async () => {
    await site.run(stateDir)
    const before = await wanted()
    await runs(before)
    await site.stopAgents()
    // What the second power cut leaves: switched to, tried once more before, and never seen to run.
    const next = { version: before + 1, pki: { blocklist: [doomed.fingerprint] } }
    const meta = JSON.parse((await folder.read('proven', 'meta.json')) ?? '') as { config: object }
    const name = `${next.version}-1`
    const config = { ...meta.config, pki: next.pki }
    const files = { 'config.yml': '{}', 'meta.json': JSON.stringify({ version: next.version, config }) }
    const rest = await Promise.all(
      ['ca.crt', 'host.crt'].map(async (file) => [file, (await folder.read('proven', file)) ?? ''] as const),
    )
    await writeFolder(folder.file('versions', name), new Map([...Object.entries(files), ...rest]))
    await rm(folder.file('current'))
    await symlink(join('versions', name), folder.file('current'))
    await symlink(join('versions', name), folder.file('retried'))
    await site.run(stateDir)
    await reports(/the agent ended twice before it was proven to run; what it revokes is in force/)
    expect([await blocked(), (await node()).runningConfigVersion]).toEqual([
      expect.arrayContaining([doomed.fingerprint]),
      before,
    ])
  })
})

describe('a line in which Nebula complains', () => {
  test.each([
    ['error, as 1.6 to 1.10 write it', '{"level":"error","msg":"m"}', true],
    ['ERROR, as 1.11 writes it', '{"level":"ERROR","msg":"m"}', true],
    ['fatal, before the format is known', 'time="x" level=fatal msg="m"', true],
    ['INFO', '{"level":"INFO","msg":"m"}', false],
    ['WARN', '{"level":"WARN","msg":"m"}', false],
    ['JSON that is no line of a log', '{"level":"error","msg":{"toString":1}}', false],
    ['a line without a level', '{"msg":"m"}', false],
  ])('%s', (_what, text, complains) => {
    expect(isComplaint(lineOf(text))).toBe(complains)
  })
})
