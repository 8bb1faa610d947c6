import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { compileBundle } from '../../../src/domain/bundles/compile/compile.ts'
import { signIdentity } from '../../../src/domain/signing/node-certificate.ts'
import { exportCaKey } from '../../../src/pki/ca.ts'
import { parseCertificates } from '../../../src/pki/certificate.ts'
import { parsePublicKey } from '../../../src/pki/keys.ts'
import { ca, inputOf, nodeOf, signerOf } from '../../bundle/cluster.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

/** What a file says, without what differs each time. */
const blocksOf = (pem: string) =>
  parseCertificates(pem).map(({ version, networks, unsafeNetworks, groups }) => ({
    version,
    networks,
    unsafeNetworks,
    groups,
  }))

const ipv4 = { networkCidr: '10.42.0.0/16', overlayIp: '10.42.0.7' }
const ipv6 = { networkCidr: 'fd42::/64', overlayIp: 'fd42::7' }

describe('a node’s certificate in a cluster of version 2 with a CA of version 1', () => {
  const signedBoth = ({ networkCidr, ...fields }: { networkCidr: string; overlayIp: string; routes: string[] }) => {
    const { publicKey, ...node } = { ...nodeOf(7), ...fields, groups: ['web'] }
    const compiled = compileBundle(
      inputOf([{ ...node, publicKey }], { signer: signerOf(ca), certificateVersion: 2, networkCidr }),
    )
    const cluster = { networkCidr, certificateVersion: 2, certificateLifetimeDays: 30 }
    const alone = () => signIdentity(ca, cluster, { ...node, publicKey: parsePublicKey(publicKey ?? '') }).certificate
    return { bundled: compiled.resigned[0]?.certificate ?? null, problems: compiled.problems, alone }
  }

  test.each([
    ['of both versions with IPv4 alone', { ...ipv4, routes: ['192.168.1.0/24'] }, [1, 2]],
    ['of version 2 alone without an IPv4 address', { ...ipv6, routes: [] }, [2]],
    ['of version 2 alone with IPv6 routes', { ...ipv6, routes: ['fd99::/64'] }, [2]],
  ])('is %s, by itself as with a bundle', (_case, node, versions) => {
    const { bundled, alone } = signedBoth(node)
    const blocks = blocksOf(alone())
    expect(blocks.map(({ version }) => version)).toEqual(versions)
    expect(blocksOf(bundled ?? '')).toEqual(blocks)
    expect(blocks.at(-1)).toMatchObject({ unsafeNetworks: node.routes, groups: ['web'] })
  })

  test('is refused in the same words by either way where no version can hold it', () => {
    const { bundled, problems, alone } = signedBoth({ ...ipv4, routes: ['192.168.1.0/24', 'fd99::/64'] })
    const why = 'fd99::/64 needs a node with an address of its kind'
    expect(bundled).toBeNull()
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining(why)])
    expect(alone).toThrow(why)
  })
})

describe.each(engines)('a node with an IPv6 route in a cluster of version 2, on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'node-file', randomUUID())
  })
  afterAll(() => app.close())

  test('is given the same blocks with a bundle and by a renewal', async () => {
    const { id: nodeId, token } = await newNode(app, world)
    await certify(app, token)
    const { networkCidr, overlayIp } = ipv6
    const pki = { pkiCaCert: ca.certificate.pem, pkiCaKey: app.vault.seal(exportCaKey(ca), world.clusterId) }
    await app.database.client.cluster.update({
      where: { id: world.clusterId },
      data: { networkCidr, certificateVersion: 2, ...pki },
    })
    const data = { overlayIp, routes: ['fd99::/64'], nebulaVersion: '1.10.0' }
    await app.database.client.node.update({ where: { id: nodeId }, data })
    await mutate(app, world.admin, 'publishClusterConfig', { clusterId: world.clusterId })
    await app.publish()
    const { certificate: bundled, publicKey } = await nodeRow(app, nodeId)
    const renewed = await mutate<{ certificate: string }>(
      app,
      token,
      'renewNodeCertificate',
      { publicKey },
      'certificate',
    )
    const expected = [{ version: 2, networks: ['fd42::7/64'], unsafeNetworks: ['fd99::/64'], groups: [] }]
    expect(blocksOf(bundled ?? '')).toEqual(expected)
    expect(blocksOf(renewed.certificate)).toEqual(expected)
  })
})
