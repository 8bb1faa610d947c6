import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { createCa, exportCaKey } from '../../../src/pki/ca.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

const day = 86_400_000

interface CaOptions {
  readonly networks: readonly string[]
  readonly from: number
  readonly to: number
  readonly version: 1 | 2
}

/** A CA as nebula-cert would write it; `from` and `to` in days from now. */
function ca({ networks = [], from = -1, to = 365, version = 1 }: Partial<CaOptions> = {}) {
  const notBefore = new Date(Date.now() + from * day)
  const notAfter = new Date(Date.now() + to * day)
  const made = createCa({ version, name: 'test', notBefore, notAfter, networks, unsafeNetworks: [], groups: [] })
  return { caCertificate: made.certificate.pem, caKey: exportCaKey(made) }
}

describe.each(engines)('a cluster’s CA on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  const take = (input: object, token = world.admin) =>
    mutate<{ cluster: { caCertificate: string; configVersion: number } }>(
      app,
      token,
      'importClusterPki',
      { clusterId: world.clusterId, ...input },
      'cluster { caCertificate configVersion }',
    )

  test('one that was made elsewhere is taken over, its key sealed', async () => {
    const before = await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
    const given = ca({ networks: ['10.0.0.0/8'] })
    const { cluster } = await take({ ...given, caCertificate: `\n${given.caCertificate}\n` })
    expect(cluster).toEqual({
      caCertificate: given.caCertificate,
      configVersion: before.configVersion + 1,
    })
    const { pkiCaKey } = await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
    expect(pkiCaKey).toMatch(/^v1\./)
    expect(pkiCaKey).not.toContain(given.caKey.split('\n')[1])
  })

  test.each([
    ['a key of another CA', () => ({ ...ca(), caKey: ca().caKey }), 'caKey', /not the one that belongs/],
    ['no certificate', () => ({ ...ca(), caCertificate: 'rubbish' }), 'caCertificate', /./],
    ['an expired CA', () => ca({ from: -20, to: -10 }), 'caCertificate', /expired/],
    [
      'a CA for other networks',
      () => ca({ networks: ['192.168.0.0/16'] }),
      'caCertificate',
      /may only sign addresses in/,
    ],
    ['a CA that the nodes cannot read', () => ca({ version: 2 }), 'caCertificate', /of version 2/],
    ['a passphrase for a key that has none', () => ({ ...ca(), passphrase: 'x' }), 'passphrase', /not encrypted/],
  ])('%s is refused', async (_what, make, field, message) => {
    const { __typename, issues } = await take(make())
    expect({ __typename, issues }).toEqual({
      __typename: 'ValidationError',
      issues: [{ path: ['input', field], message: expect.stringMatching(message) }],
    })
  })

  test('nodes that hold certificates are not parted from each other', async () => {
    const { client } = app.database
    await client.node.update({ where: { id: world.nodeId }, data: { certificate: 'signed' } })
    expect((await take(ca())).__typename).toBe('ConflictError')
    await client.node.update({ where: { id: world.nodeId }, data: { certificate: null } })
  })

  test('it is for a cluster of the caller', async () => {
    expect((await take({ clusterId: randomUUID(), ...ca() })).__typename).toBe('NotFoundError')
    expect((await take(ca(), app.operator)).__typename).toBe('ImportClusterPkiPayload')
  })
})
