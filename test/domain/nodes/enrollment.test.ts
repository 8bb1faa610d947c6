import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { parseCaCertificates } from '../../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { writePem } from '../../../src/pki/encoding/pem.ts'
import { verifyNode } from '../../../src/pki/verify.ts'
import { describeWithNebulaCert } from '../../pki/nebula-cert.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate, type Outcome } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

interface Enrolled {
  readonly node: { id: string; name: string; overlayIp: string; groups: string[]; cluster: { configVersion: number } }
  readonly token: string
  readonly certificate: string
  readonly caCertificate: string
  readonly networkCidr: string
  readonly bundleSigningKey: string
  readonly clusterId: string
}

const shown = `node { id name overlayIp groups cluster { configVersion } } token certificate caCertificate networkCidr
  bundleSigningKey clusterId`
const newKey = () => formatPublicKey(generateNodeKeyPair().publicKey)

describe.each(engines)('enrollment on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
    await mutate(app, world.admin, 'updateClusterEnrollment', { clusterId: world.clusterId, enrollGroups: ['web'] })
  })
  afterAll(() => app.close())

  const enroll = (input: object = {}, token = world.clusterToken) =>
    mutate<Enrolled>(app, token, 'enrollNode', { name: randomUUID(), publicKey: newKey(), ...input }, shown)
  const cluster = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
  const newCluster = async (input: object) =>
    mutate<{ cluster: { id: string }; token: string }>(
      app,
      world.admin,
      'createCluster',
      { name: randomUUID(), ...input },
      'cluster { id } token',
    )

  test('a machine becomes a node: with an address, a token, and a certificate for its key', async () => {
    const before = await cluster()
    const keys = generateNodeKeyPair()
    const publicKey = formatPublicKey(keys.publicKey)
    const made = await enroll({ name: ' laptop ', publicKey, groups: ['web'], nebulaVersion: '1.6.1' })
    expect(made).toMatchObject({ clusterId: world.clusterId, networkCidr: '10.42.0.0/16' })
    expect(made.bundleSigningKey).toBe(before.bundlePublicKey)
    expect(made.node.cluster.configVersion).toBe(before.configVersion + 1)
    const certificate = parseNodeCertificate(made.certificate)
    expect(certificate).toMatchObject({ name: 'laptop', groups: ['web'], networks: [`${made.node.overlayIp}/16`] })
    expect(Buffer.compare(certificate.publicKey, keys.publicKey)).toBe(0)
    const days = (certificate.notAfter.getTime() - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(29.9)
    expect(days).toBeLessThanOrEqual(30)
    verifyNode(certificate, parseCaCertificates(made.caCertificate), new Date())
    const { viewer } = await app.ask<{ viewer: unknown }>(made.token, '{ viewer { ... on Node { name } } }')
    expect(viewer).toEqual({ name: 'laptop' })
    expect((await cluster()).pendingChanges).toContain('laptop: enrolled (an enrolling machine)')
  })

  describeWithNebulaCert('nebula-cert', (workshop) => {
    test('verifies the certificate against the CA, and prints what was asked for', async () => {
      const { certificate, caCertificate, node } = await enroll({ groups: ['web'] })
      const ca = workshop().write('ca.crt', caCertificate)
      const crt = workshop().write('node.crt', certificate)
      expect(workshop().run('verify', '-ca', ca, '-crt', crt)).toBe('')
      const { details } = JSON.parse(workshop().run('print', '-json', '-path', crt)) as { details: unknown }
      expect(details).toMatchObject({ name: node.name, groups: ['web'], ips: [`${node.overlayIp}/16`], isCa: false })
    })
  })

  test.each<[string, () => object, string[], RegExp]>([
    ['a private key', () => ({ publicKey: generateNodeKeyPair().privateKeyPem }), ['publicKey'], /private key/],
    ['a key of 31 bytes', () => ({ publicKey: pem(31) }), ['publicKey'], /31 bytes/],
    ['a point of low order', () => ({ publicKey: pem(32) }), ['publicKey'], /low order/],
    ['a CA’s key', () => ({ publicKey: pem(32, 'NEBULA ED25519 PUBLIC KEY') }), ['publicKey'], /X25519/],
    ['rubbish', () => ({ publicKey: 'rubbish' }), ['publicKey'], /./],
    ['a group that is not for everybody', () => ({ groups: ['web', 'admins'] }), ['groups', '1'], /admins/],
    ['an address outside', () => ({ overlayIp: '10.43.0.1' }), ['overlayIp'], /must be an address of 10\.42/],
    ['a name that no certificate holds', () => ({ name: 'é'.repeat(127) }), ['name'], /253 bytes/],
    ['no version of Nebula', () => ({ nebulaVersion: 'new' }), ['nebulaVersion'], /version/],
  ])('%s is refused, and nothing is done', async (_what, input, path, message) => {
    const before = await cluster()
    const { issues } = await enroll(input())
    expect(issues).toEqual([{ path: ['input', ...path], message: expect.stringMatching(message) }])
    expect(await cluster()).toEqual(before)
  })

  test('a name, a key and an address are one node’s', async () => {
    const publicKey = newKey()
    const { node } = await enroll({ publicKey })
    const before = await cluster()
    for (const [input, message] of [
      [{ publicKey }, /has this public key/],
      [{ name: node.name }, /has a node named/],
      [{ overlayIp: node.overlayIp }, /belongs to another node/],
    ] as const) {
      expect(await enroll(input)).toMatchObject({
        __typename: 'ConflictError',
        message: expect.stringMatching(message),
      })
    }
    expect(await cluster()).toEqual(before)
    const other = await newCluster({})
    expect((await enroll({ publicKey }, other.token)).__typename).toBe('EnrollNodePayload')
  })

  test('64 at once get 64 addresses and 64 versions; the bad ones among them fail alone', async () => {
    const before = (await cluster()).configVersion
    const twice = newKey()
    const outcomes = await Promise.all([
      ...Array.from({ length: 64 }, () => enroll()),
      enroll({ publicKey: 'rubbish' }),
      enroll({ publicKey: twice }),
      enroll({ publicKey: twice }),
      enroll({ groups: ['admins'] }),
    ])
    const kinds = outcomes.map(({ __typename }) => __typename)
    expect(kinds.slice(0, 64)).toEqual(Array.from({ length: 64 }, () => 'EnrollNodePayload'))
    expect(kinds.slice(64).sort()).toEqual(['ConflictError', 'EnrollNodePayload', 'ValidationError', 'ValidationError'])
    const made = outcomes.filter((one) => one.__typename === 'EnrollNodePayload')
    expect(new Set(made.map(({ node }) => node.overlayIp)).size).toBe(65)
    expect(new Set(made.map(({ token }) => token)).size).toBe(65)
    expect((await cluster()).configVersion).toBe(before + 65)
  })

  test('a full network says so, and takes the next machine once a node is gone', async () => {
    const small = await newCluster({ networkCidr: '10.9.0.0/29' })
    const made = await Promise.all(Array.from({ length: 7 }, () => enroll({}, small.token)))
    expect(made.map(({ __typename }) => __typename).sort()).toEqual([
      ...Array.from({ length: 6 }, () => 'EnrollNodePayload'),
      'LimitError',
    ])
    const [first] = made.filter((one) => one.__typename === 'EnrollNodePayload')
    await mutate(app, world.admin, 'deleteNode', { nodeId: first?.node.id })
    expect((await enroll({}, small.token)).node.overlayIp).toBe(first?.node.overlayIp)
  })

  test('certificates of version 2 are for Nebula 1.10 and newer', async () => {
    const newer = await newCluster({ certificateVersion: 2 })
    expect(await enroll({ nebulaVersion: '1.9.5' }, newer.token)).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/1\.9\.5 cannot read .* version 2/),
    })
    const { certificate } = await enroll({ nebulaVersion: '1.10.0' }, newer.token)
    expect(parseNodeCertificate(certificate).version).toBe(2)
  })

  test('a cluster that was made without keys gets them with its first node', async () => {
    const old = await newCluster({})
    const without = { pkiCaCert: null, pkiCaKey: null, bundleSigningKey: null, bundlePublicKey: null }
    await app.database.client.cluster.update({ where: { id: old.cluster.id }, data: without })
    const made = await enroll({}, old.token)
    verifyNode(parseNodeCertificate(made.certificate), parseCaCertificates(made.caCertificate), new Date())
    expect((await enroll({}, old.token)).caCertificate).toBe(made.caCertificate)
  })

  test('a cluster whose key another secret sealed enrolls nobody, and the machine is told why', async () => {
    const broken = await newCluster({})
    const { pkiCaKey } = await cluster()
    await app.database.client.cluster.update({ where: { id: broken.cluster.id }, data: { pkiCaKey } })
    const input = { name: 'n', publicKey: newKey() }
    expect(await mutate(app, broken.token, 'enrollNode', input)).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/ORRERY_SECRET/),
    })
    expect(await app.database.client.node.count({ where: { clusterId: broken.cluster.id } })).toBe(0)
  })

  describe('a CA’s limits', () => {
    test('are held where the input is', async () => {
      const limited = await newCluster({ caGroups: ['web', 'db'], enrollGroups: ['web'] })
      const { issues } = await mutate(app, world.admin, 'createNode', {
        clusterId: limited.cluster.id,
        name: 'n',
        groups: ['ops'],
      })
      expect(issues?.[0]).toMatchObject({
        path: ['input', 'groups'],
        message: expect.stringMatching(/not one of the CA/),
      })
      const enrolled = await enroll({ groups: ['web'] }, limited.token)
      const refused = { nodeId: enrolled.node.id, groups: ['ops'] }
      expect((await mutate(app, world.admin, 'updateNodeGroups', refused)).issues?.[0]?.path).toEqual([
        'input',
        'groups',
      ])
      const outside: Outcome = await newCluster({ caGroups: ['web'], enrollGroups: ['web', 'ops'] })
      expect(outside.issues?.[0]?.path).toEqual(['input', 'enrollGroups', '1'])
    })
  })
})

/** A public key of zeros in PEM. */
const pem = (length: number, banner = 'NEBULA X25519 PUBLIC KEY') => writePem({ banner, bytes: new Uint8Array(length) })
