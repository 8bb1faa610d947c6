import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals'

import { ClusterFolder } from '../../src/agent/enrollment-state.ts'
import { statusOf } from '../../src/agent/status.ts'
import { readSlice } from '../../src/nebula/bundle/slice-archive.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { describeWithNebula } from '../support/nebula.ts'
import { createNode } from '../support/world.ts'
import { ageCertificate } from './support/aged.ts'
import { eventually } from '../support/eventually.ts'
import { Site } from './support/site.ts'

describeWithNebula('the agent', () => {
  let site: Site
  /** The node that most tests are about. */
  let nodeId: string
  let clusterId: string

  beforeAll(async () => {
    site = await Site.open()
    const { enrollment } = await site.enroll({ name: 'laptop' })
    nodeId = enrollment.nodeId
    clusterId = enrollment.clusterId
  })
  afterEach(async () => {
    site.tamper = null
    await site.stopAgents()
  })
  afterAll(() => site.close())

  const node = () => site.node(nodeId)
  const wanted = () => site.wanted()
  const runs = (version: number) => site.runs(nodeId, version)
  const reports = (pattern: RegExp) => site.reports(nodeId, pattern)
  /** Of the Nebula that runs for this site, if any. */
  const pids = (): string[] => {
    try {
      return execFileSync('pgrep', ['-f', `nebula -config ${site.stateDir}`], { encoding: 'utf8' })
        .trim()
        .split('\n')
    } catch {
      return []
    }
  }
  /** The one that runs, once it does. */
  const up = () =>
    eventually(
      'Nebula runs',
      () => Promise.resolve(pids()),
      (found) => found.length === 1,
    )
  const change = async (input: object = { mtu: 1400 }) => {
    await site.mutate('updateNodeMtu', { nodeId, ...input })
    return wanted()
  }

  describe('enrollment', () => {
    test('keeps key and token to its owner, and sends only the public half', async () => {
      for (const file of ['host.key', 'token', 'host.crt', 'agent.json']) {
        expect([file, (await stat(join(site.stateDir, clusterId, file))).mode & 0o777]).toEqual([file, 0o600])
      }
      expect((await stat(join(site.stateDir, clusterId))).mode & 0o777).toBe(0o700)
      expect((await node()).publicKey).toContain('NEBULA X25519 PUBLIC KEY')
      expect(await site.read(clusterId, 'host.key')).toContain('NEBULA X25519 PRIVATE KEY')
    })

    test('is not repeated over an enrollment that is there', async () => {
      const key = await site.read(clusterId, 'host.key')
      await expect(site.enroll()).rejects.toThrow(/enrolled in that cluster already .*agent leave/)
      expect(await site.read(clusterId, 'host.key')).toBe(key)
    })

    test.each([
      ['a mistyped token', { token: `orc_${'A'.repeat(43)}` }, /does not know this token/],
      [
        'a token over plain http to another machine',
        { server: 'http://orrery.example.com' },
        /not encrypted.*--insecure-http/,
      ],
      ['no address', { server: 'orrery.example.com' }, /http or https URL/],
      ['a user in the address', { server: 'https://me:secret@orrery.example.com' }, /user or a password/],
      ['a server that is not there', { server: 'http://127.0.0.1:9' }, /cannot be reached: ./],
      ['an address that is none', { overlayIp: '10.42.0' }, /refused: .*input\.overlayIp.*valid IPv4/],
    ])('%s is refused with what to do', async (_what, options, message) => {
      const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
      await expect(site.enroll({ stateDir, ...options })).rejects.toThrow(message)
      await rm(stateDir, { recursive: true })
    })

    test('takes a name that is taken as a refusal in the control plane’s words, and keeps the key for the next try', async () => {
      const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
      await expect(site.enroll({ stateDir, name: 'laptop' })).rejects.toThrow(/has a node named "laptop" already/)
      const { folder } = await site.enroll({ stateDir, name: 'other-laptop' })
      expect(await folder.read('token')).toMatch(/^orn_/)
      await rm(stateDir, { recursive: true })
    })

    test('of a node that an admin made sends its key with the node’s own token', async () => {
      const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
      const made = await createNode(site.app, site.world.admin, { clusterId, name: 'announced' })
      const { enrollment } = await site.enroll({ stateDir, token: made.token })
      expect(enrollment).toMatchObject({ nodeId: made.id, name: 'announced' })
      expect((await site.node(made.id)).certificate).not.toBeNull()
      await rm(stateDir, { recursive: true })
    })
  })

  describe('a version', () => {
    test('is run and reported, with the version of Nebula; the next one follows', async () => {
      await site.run()
      await runs(await wanted())
      expect(await node()).toMatchObject({ nebulaVersion: '1.6.1', lastError: null })
      await runs(await change())
      expect(JSON.parse(await site.read(clusterId, 'current', 'config.yml'))).toMatchObject({ tun: { mtu: 1400 } })
    })

    test('with another name of the node is run on its new certificate, and the machine is called by that name', async () => {
      await site.run()
      await runs(await wanted())
      const folder = new ClusterFolder(site.stateDir, clusterId)
      expect(await statusOf(folder)).toMatchObject({ node: 'laptop' })
      await site.mutate('renameNode', { nodeId, name: 'notebook' })
      await runs(await wanted())
      const { certificate, lastError } = await node()
      expect(await site.read(clusterId, 'current', 'host.crt')).toBe(certificate)
      expect([lastError, parseNodeCertificate(certificate ?? '').name]).toEqual([null, 'notebook'])
      expect(await statusOf(folder)).toMatchObject({ node: 'notebook' })
      expect([await folder.isCalled('notebook'), await folder.isCalled('laptop')]).toEqual([true, false])
      await site.mutate('renameNode', { nodeId, name: 'laptop' })
      await runs(await wanted())
    })

    test('that only needs a reload leaves the process as it is; one that needs more gets a new one', async () => {
      await site.run()
      await runs(await wanted())
      const before = await up()
      const rule = { port: '22', proto: 'TCP', host: 'any' }
      await site.mutate('updateClusterFirewall', { clusterId, firewall: { inbound: [rule], outbound: [rule] } })
      await runs(await wanted())
      expect(pids()).toEqual(before)
      await runs(await change({ mtu: 1410 }))
      expect(pids()).not.toEqual(before)
      expect(pids()).toHaveLength(1)
    })

    test('that does not run is taken back and reported, and not tried again; a later one is', async () => {
      await site.run()
      const good = await wanted()
      await runs(good)
      const bad = await site.upload('tun:\n  disabled: true\nlisten:\n  host: 203.0.113.77\n')
      const { runningConfigVersion, lastError } = await reports(/^version \d+: Nebula did not start/)
      expect([runningConfigVersion, lastError]).toEqual([good, expect.stringContaining(`version ${bad}`)])
      expect(pids()).toHaveLength(1)
      site.takeLog()
      await eventually(
        'a few more polls',
        () => Promise.resolve(site.app.takeLog().length),
        (lines) => lines > 2,
      )
      expect(site.takeLog().filter(({ msg }) => msg === 'switching')).toEqual([])
      await site.mutate('rollbackClusterConfig', { clusterId, version: good })
      await runs(await wanted())
      expect((await node()).lastError).toBeNull()
    })
  })

  describe('refuses and reports, and runs on what it had:', () => {
    const rubbish = (text: string) => new TextEncoder().encode(text)
    test.each([
      ['a file that was tampered with', 'config.yml', 'tun: {}\n', /config\.yml: .*(bytes|SHA-256)/],
      ['a manifest that was tampered with', 'manifest.json', '{}', /manifest/],
      ['a signature by another key', 'manifest.sig', `${'A'.repeat(86)}==\n`, /manifest\.sig/],
      ['a file that is in no manifest', 'extra.yml', 'a: 1\n', /extra\.yml: is not in the manifest/],
      ['a certificate that is not the published one', 'node.crt', 'CERTIFICATE', /node\.crt/],
    ])('%s', async (_what, file, content, reason) => {
      await site.run()
      await runs(await wanted())
      const before = await node()
      const next = await change({ mtu: 1300 + Math.floor(Math.random() * 100) })
      site.tamper = (files) => files.set(file, rubbish(content))
      await reports(reason)
      expect((await node()).runningConfigVersion).toBeLessThan(next)
      expect(before.runningConfigVersion).not.toBeNull()
      site.tamper = null
      await runs(await wanted())
      expect((await node()).lastError).toBeNull()
    })

    test('what was published for another node, whole and well signed', async () => {
      await site.run()
      await runs(await wanted())
      const stateDir = await mkdtemp(join(tmpdir(), 'orrery-agent-'))
      const other = await site.enroll({ stateDir })
      const authorization = `Bearer ${await other.folder.token()}`
      await runs(await wanted())
      site.tamper = async () => {
        const response = await site.app.fetch('/bundle', { headers: { authorization } })
        return readSlice(new Uint8Array(await response.arrayBuffer()))
      }
      const next = await change({ mtu: 1333 })
      await reports(new RegExp(`proof\\.json: node: is "${other.enrollment.nodeId}", not this node`))
      expect((await node()).runningConfigVersion).toBeLessThan(next)
      site.tamper = null
      await runs(next)
      await rm(stateDir, { recursive: true })
    })

    test('an older version', async () => {
      let old: Map<string, Uint8Array> | null = null
      await site.run()
      const first = await change({ mtu: 1500 })
      await runs(first)
      site.tamper = (files) => {
        old ??= new Map(files)
        return old
      }
      await reports(/not newer than/)
      expect((await node()).runningConfigVersion).toBe(first)
    })
  })

  test('starts Nebula from the disk while the control plane is away, and finds back to it', async () => {
    await site.run()
    await runs(await wanted())
    await site.stopAgents()
    expect(pids()).toEqual([])
    const comeBack = await site.goAway()
    await site.run()
    await eventually(
      'Nebula runs',
      () => Promise.resolve(pids()),
      (found) => found.length === 1,
    )
    const next = await change({ mtu: 1450 })
    await comeBack()
    await runs(next)
  })

  test('starts Nebula again when it is killed', async () => {
    await site.run()
    await runs(await wanted())
    const [before = ''] = await up()
    // Process 0 would be everybody.
    expect(Number(before)).toBeGreaterThan(1)
    process.kill(Number(before), 'SIGKILL')
    await eventually(
      'another one runs',
      () => Promise.resolve(pids()),
      ([pid]) => pid !== undefined && pid !== before,
    )
  })

  test('renews its certificate when two thirds of its life are over, without a new version', async () => {
    const before = (await node()).certificate ?? ''
    const version = await wanted()
    await site.run()
    await runs(version)
    await site.stopAgents()
    // As if time had passed: a certificate whose life began long ago.
    await ageCertificate(site, clusterId, nodeId)
    await site.run()
    const after = await eventually('a fresh one', node, ({ certificate }) => certificate !== before)
    await eventually(
      'Nebula has it',
      () => site.read(clusterId, 'current', 'host.crt'),
      (running) => running === after.certificate,
    )
    expect(parseNodeCertificate(after.certificate ?? '').notAfter > parseNodeCertificate(before).notBefore).toBe(true)
    expect(await wanted()).toBe(version)
  })

  test('keeps Nebula running when its token is not taken any more, and says so', async () => {
    await site.run()
    await runs(await wanted())
    site.takeLog()
    await site.mutate('rotateNodeToken', { nodeId })
    await eventually(
      'it says so',
      () => Promise.resolve(site.takeLog()),
      (lines) => lines.some((line) => String(line['reason']).includes('does not know this token')),
    )
    expect(pids()).toHaveLength(1)
    const said = JSON.stringify(site.takeLog())
    expect(said).not.toContain((await site.read(clusterId, 'token')).trim())
  })
})
