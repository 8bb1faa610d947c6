import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { parseCertificates } from '../../../src/pki/certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

describe.each(engines)('the version of a cluster’s certificates on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  /** Two machines of a fresh cluster, with Nebula 1.6.1. */
  let machines: { id: string; token: string; publicKey: string }[]
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  beforeEach(async () => {
    const made = await mutate<{ cluster: { id: string }; token: string }>(
      app,
      world.admin,
      'createCluster',
      { name: randomUUID() },
      'cluster { id } token',
    )
    clusterId = made.cluster.id
    machines = []
    for (const name of ['a', 'b']) {
      const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
      const input = { name, publicKey, nebulaVersion: '1.6.1' }
      const { node, token } = await mutate<{ node: { id: string }; token: string }>(
        app,
        made.token,
        'enrollNode',
        input,
        'node { id } token',
      )
      machines.push({ id: node.id, token, publicKey })
    }
  })

  const set = (input: object) =>
    mutate<{ cluster: { certificateVersion: number; certificateLifetimeDays: number } }>(
      app,
      world.admin,
      'updateClusterCertificates',
      { clusterId, ...input },
      'cluster { certificateVersion certificateLifetimeDays }',
    )

  test('is 2 when every node reads it, and names those that do not', async () => {
    expect(await set({ certificateVersion: 2 })).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/"a" \(1\.6\.1\), "b" \(1\.6\.1\)$/),
    })
    for (const { token } of machines) await mutate(app, token, 'reportNodeStatus', { nebulaVersion: '1.10.3' })
    await app.flush()
    expect((await set({ certificateVersion: 2 })).cluster).toEqual({
      certificateVersion: 2,
      certificateLifetimeDays: 30,
    })
    const { token, publicKey } = machines[0] ?? { token: '', publicKey: '' }
    const renewed = await mutate<{ certificate: string }>(
      app,
      token,
      'renewNodeCertificate',
      { publicKey },
      'certificate',
    )
    // The CA is of version 1 still: both kinds of node understand the one or the other.
    expect(parseCertificates(renewed.certificate).map(({ version }) => version)).toEqual([1, 2])
    await mutate(app, world.admin, 'deleteNode', { nodeId: machines[0]?.id })
    const { pkiCrl } = await app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
    for (const { fingerprint } of parseCertificates(renewed.certificate)) expect(pkiCrl).toContain(fingerprint)
    expect((await set({ certificateVersion: 1 })).cluster.certificateVersion).toBe(1)
  })

  test('does not go back behind a CA of version 2', async () => {
    const made = await mutate<{ cluster: { id: string } }>(
      app,
      world.admin,
      'createCluster',
      { name: randomUUID(), certificateVersion: 2 },
      'cluster { id }',
    )
    const input = { clusterId: made.cluster.id, certificateVersion: 1 }
    expect(await mutate(app, world.admin, 'updateClusterCertificates', input)).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/CA is of version 2/),
    })
  })

  test.each([{ certificateVersion: 3 }, { certificateLifetimeDays: 0 }, { certificateLifetimeDays: 3651 }])(
    'refuses %j',
    async (input) => {
      expect((await set(input)).issues?.[0]?.path).toEqual(['input', Object.keys(input)[0]])
    },
  )
})
