import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { parseCaCertificates } from '../../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { verifyNode } from '../../../src/pki/verify.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

interface Identified {
  readonly node: { id: string; cluster: { configVersion: number } }
  readonly certificate: string
  readonly caCertificate: string
  readonly bundleSigningKey: string
}

const shown = 'node { id cluster { configVersion } } certificate caCertificate bundleSigningKey'
const newKey = () => formatPublicKey(generateNodeKeyPair().publicKey)

describe.each(engines)('a node’s identity on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
    await mutate(app, world.admin, 'updateClusterEnrollment', { clusterId: world.clusterId, enrollGroups: ['web'] })
  })
  afterAll(() => app.close())

  const enroll = (input: object = {}) =>
    mutate<Identified & { token: string }>(
      app,
      world.clusterToken,
      'enrollNode',
      { name: randomUUID(), publicKey: newKey(), ...input },
      `${shown} token`,
    )
  const cluster = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })

  describe('its key', () => {
    const renew = (token: string, publicKey: string, input: object = {}) =>
      mutate<Identified>(app, token, 'renewNodeCertificate', { publicKey, ...input }, shown)
    const crl = async () => (await cluster()).pkiCrl?.split('\n') ?? []

    test('a node that an admin made sends its first key', async () => {
      const input = { clusterId: world.clusterId, name: 'made', groups: ['db'], routes: ['192.168.7.0/24'] }
      const { token } = await createNode(app, world.admin, input)
      const before = (await cluster()).configVersion
      const { certificate, caCertificate, bundleSigningKey } = await renew(token, newKey())
      const signed = parseNodeCertificate(certificate)
      expect(signed).toMatchObject({ name: 'made', groups: ['db'], unsafeNetworks: ['192.168.7.0/24'] })
      verifyNode(signed, parseCaCertificates(caCertificate), new Date())
      expect(bundleSigningKey).toBe((await cluster()).bundlePublicKey)
      expect((await cluster()).configVersion).toBe(before + 1)
    })

    test('the same key: a fresh certificate, no new version, nothing revoked', async () => {
      const publicKey = newKey()
      const { token, certificate } = await enroll({ publicKey })
      await app.database.client.cluster.update({
        where: { id: world.clusterId },
        data: { certificateLifetimeDays: 60 },
      })
      const before = await cluster()
      const renewed = await renew(token, publicKey)
      expect(parseNodeCertificate(renewed.certificate).notAfter.getTime()).toBeGreaterThan(
        parseNodeCertificate(certificate).notAfter.getTime(),
      )
      expect(await cluster()).toEqual(before)
    })

    test('another key: a new version, and the certificate before is revoked until it ends', async () => {
      const { token, certificate } = await enroll()
      const before = (await cluster()).configVersion
      const { node, certificate: next } = await renew(token, newKey())
      expect(node.cluster.configVersion).toBe(before + 1)
      const { fingerprint, notAfter } = parseNodeCertificate(certificate)
      expect(await crl()).toContain(fingerprint)
      expect(await crl()).not.toContain(parseNodeCertificate(next).fingerprint)
      expect((await cluster()).pkiCrlExpiries).toMatchObject({ [fingerprint]: notAfter.toISOString() })
    })

    test('a key of another node, a private key and a Nebula that is too old are refused', async () => {
      const publicKey = newKey()
      await enroll({ publicKey })
      const { token } = await enroll()
      expect(await renew(token, publicKey)).toMatchObject({ __typename: 'ConflictError' })
      expect((await renew(token, generateNodeKeyPair().privateKeyPem)).issues?.[0]?.path).toEqual([
        'input',
        'publicKey',
      ])
    })

    test('routes and groups are signed at once; what says less than before revokes it', async () => {
      const { node, certificate } = await enroll({ groups: ['web'] })
      const present = async () => {
        const row = await app.database.client.node.findUniqueOrThrow({ where: { id: node.id } })
        const signed = parseNodeCertificate(row.certificate ?? '')
        expect(row.certificateFingerprint).toBe(signed.fingerprint)
        return signed
      }
      const first = parseNodeCertificate(certificate).fingerprint
      const routes = ['192.168.40.0/24', '192.168.41.0/24']
      await mutate(app, world.admin, 'updateNodeRoutes', { nodeId: node.id, routes })
      const grown = await present()
      expect(grown).toMatchObject({ groups: ['web'], unsafeNetworks: routes })
      expect(await crl()).not.toContain(first)
      await mutate(app, world.admin, 'updateNodeRoutes', { nodeId: node.id, routes: routes.slice(1) })
      expect((await present()).unsafeNetworks).toEqual(routes.slice(1))
      expect(await crl()).toContain(grown.fingerprint)
      const narrower = await present()
      await mutate(app, world.admin, 'updateNodeGroups', { nodeId: node.id, groups: [] })
      expect((await present()).groups).toEqual([])
      expect(await crl()).toContain(narrower.fingerprint)
    })

    test('deleting a node revokes its certificate; entries that have expired go', async () => {
      const expired = 'e'.repeat(64)
      const unknown = 'f'.repeat(64)
      await app.database.client.cluster.update({
        where: { id: world.clusterId },
        data: { pkiCrl: `${expired}\n${unknown}`, pkiCrlExpiries: { [expired]: '2020-01-01T00:00:00.000Z' } },
      })
      const { node, certificate } = await enroll()
      await mutate(app, world.admin, 'deleteNode', { nodeId: node.id })
      expect(await crl()).toEqual([unknown, parseNodeCertificate(certificate).fingerprint])
    })
  })

  describe('reports', () => {
    const report = (token: string, input: object) =>
      mutate<{ node: Record<string, unknown> }>(
        app,
        token,
        'reportNodeStatus',
        input,
        'node { runningConfigVersion nebulaVersion lastError lastSeenAt }',
      )

    test('are kept, the error cut, and change nothing that nodes run', async () => {
      const { token } = await enroll()
      const before = (await cluster()).configVersion
      const first = await report(token, {
        runningConfigVersion: 2,
        nebulaVersion: '1.6.1',
        lastError: 'x\0'.repeat(1500),
      })
      expect(first.node).toMatchObject({ runningConfigVersion: 2, nebulaVersion: '1.6.1' })
      expect(first.node['lastError']).toHaveLength(2000)
      expect(Date.now() - Date.parse(String(first.node['lastSeenAt']))).toBeLessThan(60_000)
      const second = await report(token, {})
      expect(second.node).toMatchObject({ runningConfigVersion: 2, nebulaVersion: '1.6.1', lastError: null })
      expect((await cluster()).configVersion).toBe(before)
    })

    test('of a version that there is not are refused', async () => {
      const { issues } = await report(world.nodeToken, { runningConfigVersion: 100_000 })
      expect(issues?.[0]?.path).toEqual(['input', 'runningConfigVersion'])
    })
  })
})
