import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { fetchSlice, type Identity } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate, publishVersion, type Outcome } from '../../support/mutate.ts'
import { send } from '../../support/multipart.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createWorld, type World } from '../../support/world.ts'

const narrow = { port: '443', proto: 'TCP', host: 'any', localCidr: '192.168.77.0/24' }
const plain = { port: '443', proto: 'TCP', group: 'ops' }
const narrowConfig =
  'firewall: {inbound: [{port: 443, proto: tcp, host: any, local_cidr: 192.168.77.0/24}], outbound: []}\n'

/** Nebula 1.6.1 does not know localCidr, and lets everybody in to everything that such a rule names a port of. */
describe.each(engines)('a firewall that an older Nebula takes for more than it says, on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  let clusterToken: string
  /** A machine of a fresh cluster, with Nebula 1.6.1. */
  let machine: Identity & { readonly token: string; readonly publicKey: string }
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  const enroll = (name: string, nebulaVersion: string | null) => {
    const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
    const input = { name, publicKey, ...(nebulaVersion === null ? {} : { nebulaVersion }) }
    const selection = 'node { id } token certificate bundleSigningKey clusterId'
    return mutate<Identity & { token: string }>(app, clusterToken, 'enrollNode', input, selection).then((made) => ({
      ...made,
      publicKey,
    }))
  }

  beforeEach(async () => {
    const selection = 'cluster { id } token'
    const input = { name: randomUUID() }
    const made = await mutate<{ cluster: { id: string }; token: string }>(
      app,
      world.admin,
      'createCluster',
      input,
      selection,
    )
    clusterId = made.cluster.id
    clusterToken = made.token
    machine = await enroll('old', '1.6.1')
  })

  const set = (inbound: readonly object[]) =>
    mutate(app, world.admin, 'updateClusterFirewall', { clusterId, firewall: { inbound, outbound: [] } })
  const runs = async (nebulaVersion: string) => {
    await mutate(app, machine.token, 'reportNodeStatus', { nebulaVersion })
    await app.flush()
  }
  const upload = async (config: string): Promise<Outcome & { configBundle?: { version: number } }> => {
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) { __typename
      ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const archive = await packBundle([{ path: 'config.yml', content: config }])
    const { text } = await send(app, world.admin, query, { input: { clusterId, archive: fileMark } }, archive)
    return (JSON.parse(text) as { data: { createConfigBundle: Outcome } }).data.createConfigBundle
  }
  const stored = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
  const refusal = (names: RegExp) => ({ __typename: 'ConflictError', message: expect.stringMatching(names) })
  const namesOld = /needs Nebula 1\.9 on every node; these report another: "old" \(1\.6\.1\)$/

  test('is refused by name while a node runs the older one, and set when none does', async () => {
    const before = await stored()
    expect(await set([plain, narrow])).toMatchObject(refusal(namesOld))
    expect(await stored()).toEqual(before)
    expect(await set([plain])).toMatchObject({ __typename: 'UpdateClusterFirewallPayload' })
    await runs('1.8.2')
    expect(await set([narrow])).toMatchObject(refusal(/"old" \(1\.8\.2\)$/))
    await runs('1.9.3')
    expect(await set([narrow])).toMatchObject({ __typename: 'UpdateClusterFirewallPayload' })
  })

  test('is refused while a node has not said what it runs', async () => {
    await runs('1.9.3')
    await enroll('silent', null)
    expect(await set([narrow])).toMatchObject(refusal(/"silent" \(none reported\)$/))
  })

  test.each([narrowConfig, 'firewall: {default_local_cidr_any: false}\n'])(
    'is refused in an upload: %s',
    async (config) => {
      const before = await stored()
      expect(await upload(config)).toMatchObject(refusal(namesOld))
      expect(await stored()).toEqual(before)
      await runs('1.9.3')
      expect(await upload(config)).toMatchObject({ __typename: 'CreateConfigBundlePayload' })
    },
  )

  test('does not come back by a rollback', async () => {
    await runs('1.9.3')
    const version = (await upload(narrowConfig)).configBundle?.version
    expect(version).toBeGreaterThan(0)
    await set([plain])
    await runs('1.6.1')
    expect(await mutate(app, world.admin, 'rollbackClusterConfig', { clusterId, version })).toMatchObject(
      refusal(namesOld),
    )
    await runs('1.11.0')
    expect(await mutate(app, world.admin, 'rollbackClusterConfig', { clusterId, version })).toMatchObject({
      __typename: 'RollbackClusterConfigPayload',
    })
  })

  test('keeps an older machine from enrolling, and says so in the manifest', async () => {
    await runs('1.9.3')
    await set([narrow])
    const message =
      /^Nebula 1\.6\.1 would let more in than the cluster's firewall says: Nebula 1\.9 or newer is needed$/
    expect(await enroll('late', '1.6.1')).toMatchObject(refusal(message))
    const renewal = { publicKey: machine.publicKey, nebulaVersion: '1.6.1' }
    expect(await mutate(app, machine.token, 'renewNodeCertificate', renewal)).toMatchObject(refusal(message))
    expect(await enroll('newer', '1.9.3')).toMatchObject({ __typename: 'EnrollNodePayload' })
    await publishVersion(app, world.admin, clusterId)
    const { manifest } = await fetchSlice(app, machine.token, machine)
    expect(manifest.minimumNebulaVersion).toBe('1.9.0')
    await set([plain])
    await publishVersion(app, world.admin, clusterId)
    expect((await fetchSlice(app, machine.token, machine)).manifest.minimumNebulaVersion).toBe('1.6.0')
  })
})
