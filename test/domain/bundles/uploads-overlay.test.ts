import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { parse, stringify } from 'yaml'

import { renderFiles } from '../../../src/domain/bundles/compile/render.ts'
import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { deepMerge, type Settings } from '../../../src/nebula/merge.ts'
import { generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { idOf, inputOf, nodeOf } from '../../bundle/cluster.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { send } from '../../support/multipart.ts'
import { describeWithNebula } from '../../support/nebula.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

/** What no Nebula of a cluster with the network 10.42.0.0/16 starts with: the setting, and what is said of it. */
const broken = [
  [
    'static_host_map',
    'static_host_map: {"10.43.0.1": ["198.51.100.1:4242"]}',
    'where 10.43.0.1 lies outside of the cluster’s network, 10.42.0.0/16',
  ],
  [
    'tun.routes',
    'tun: {routes: [{mtu: 1300, route: 10.40.0.0/14}]}',
    'where 10.40.0.0/14 lies outside of the cluster’s network, 10.42.0.0/16',
  ],
  [
    'lighthouse.hosts',
    'lighthouse: {hosts: ["10.42.0.77"]}',
    'where 10.42.0.77 has no entry in static_host_map and is no lighthouse of the cluster',
  ],
] as const

describe.each(engines)('an upload for another network on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'uploads', randomUUID())
    const lighthouse = { isLighthouse: true, lighthousePublicIp: '198.51.100.9', overlayIp: '10.42.0.9' }
    await createNode(app, world.admin, { clusterId: world.clusterId, name: 'lighthouse', ...lighthouse })
  })
  afterAll(() => app.close())

  async function upload(content: string): Promise<unknown> {
    const archive = await packBundle([{ path: 'config.yml', content }])
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      __typename ... on Error { message } } }`
    const { text } = await send(
      app,
      world.admin,
      query,
      { input: { clusterId: world.clusterId, archive: fileMark } },
      archive,
    )
    return (JSON.parse(text) as { data: { createConfigBundle: unknown } }).data.createConfigBundle
  }

  test.each(broken)('%s is refused', async (setting, content, reason) => {
    expect(await upload(content)).toEqual({
      __typename: 'ValidationError',
      message: `input.archive: config.yml: sets ${setting}, ${reason}: no Nebula starts with it`,
    })
  })

  test('one for this network is taken, with the cluster’s own lighthouses', async () => {
    const content = `static_host_map: {"10.42.255.1": ["198.51.100.1:4242"]}
lighthouse: {hosts: ["10.42.255.1", "10.42.0.9"]}
tun: {routes: [{mtu: 1300, route: 10.42.128.0/17}]}
`
    expect(await upload(content)).toEqual({ __typename: 'CreateConfigBundlePayload' })
  })

  test('what Orrery wrote itself into another cluster’s file is left out and no reason', async () => {
    const mark = '# Lighthouses that Orrery wrote into static_host_map: 10.99.0.1\n'
    const content = `${mark}static_host_map: {"10.99.0.1": ["198.51.100.1:4242"]}\n`
    expect(await upload(content)).toEqual({ __typename: 'CreateConfigBundlePayload' })
  })
})

describeWithNebula('Nebula says the same', () => {
  const keys = generateNodeKeyPair()

  /** What Nebula says with an uploaded configuration that it ends with at its start. */
  function endOf(content: string): string {
    const files = renderFiles(inputOf([nodeOf(1, {}, keys)], { shared: { 'config.yml': content, further: [] } }))
    const read = (path: string): Settings => parse(files.get(path) ?? '') as Settings
    // Compiled, it has no lighthouse that cannot be found: Nebula is given what was uploaded.
    const compiled = deepMerge(read('config.yml'), read(`nodes/${idOf(1)}.yml`))
    const config = deepMerge(deepMerge(compiled, parse(content) as Settings), {
      pki: { ca: files.get('ca.crt'), cert: files.get(`certs/${idOf(1)}.crt`), key: keys.privateKeyPem },
    })
    const folder = mkdtempSync(join(tmpdir(), 'orrery-nebula-'))
    try {
      const path = join(folder, 'config.yml')
      writeFileSync(path, stringify(config))
      const { stdout, stderr } = spawnSync('nebula', ['-config', path], { encoding: 'utf8', timeout: 10_000 })
      return stdout + stderr
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  test.each([
    ['static_host_map', 'static_host_map key is not in our subnet'],
    ['tun.routes', 'in tun.routes is not contained within the network'],
    ['lighthouse.hosts', 'does not have a static_host_map entry'],
  ])('of %s', (setting, message) => {
    const content = broken.find(([name]) => name === setting)?.[1] ?? ''
    expect(endOf(content)).toContain(message)
  })
})
