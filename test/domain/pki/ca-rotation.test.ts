import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { advanceCaRotations } from '../../../src/domain/pki/ca-rotation.ts'
import { trustedCas } from '../../../src/domain/pki/cluster-ca.ts'
import { createCa, exportCaKey } from '../../../src/pki/ca.ts'
import { parseCaCertificate } from '../../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { verifyNode } from '../../../src/pki/verify.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { drained } from '../../support/drained.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, type World } from '../../support/world.ts'

interface Rotation {
  readonly phase: string
  readonly version: number
  readonly startedAt: string
  readonly newFingerprint: string
  readonly waitingFor: number
  readonly waitingNodes: readonly string[]
}

const rotationFields = 'caRotation { phase version startedAt newFingerprint waitingFor waitingNodes }'

describe.each(engines)('a CA’s rotation on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  /** Two machines of a fresh cluster, seen just now. */
  let machines: { id: string; name: string; token: string; publicKey: string; certificate: string }[]

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
      const payload = 'node { id } token certificate'
      const { node, token, certificate } = await mutate<{
        node: { id: string }
        token: string
        certificate: string
      }>(app, made.token, 'enrollNode', input, payload)
      machines.push({ id: node.id, name, token, publicKey, certificate })
    }
    for (const { token } of machines) await report(token, (await row()).configVersion)
  })

  const row = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
  const report = async (token: string, runningConfigVersion: number) => {
    await mutate(app, token, 'reportNodeStatus', { runningConfigVersion })
    await app.flush()
  }
  const start = (name: 'rotateClusterCa' | 'abortClusterCaRotation', token = world.admin) =>
    mutate<{ cluster: { caRotation: Rotation | null } }>(
      app,
      token,
      name,
      { clusterId },
      `cluster { ${rotationFields} }`,
    )
  const rotation = async () => {
    const query = `query ($id: UUID!) { cluster(id: $id) { ${rotationFields} } }`
    const { cluster } = await app.ask<{ cluster: { caRotation: Rotation | null } }>(world.viewer, query, {
      id: clusterId,
    })
    return cluster.caRotation
  }
  /** As the publisher does once a version is compiled. */
  const publish = async () => {
    const { configVersion } = await row()
    await app.database.client.cluster.update({
      where: { id: clusterId },
      data: { publishedConfigVersion: configVersion },
    })
    return configVersion
  }
  const sweep = () => drained(advanceCaRotations(systemOperator(app.database)))
  /** As compiling does, or the agent. */
  const signAll = async () => {
    for (const { token, publicKey } of machines) await mutate(app, token, 'renewNodeCertificate', { publicKey })
  }
  const machine = (index: number) => {
    const one = machines[index]
    if (!one) throw new Error(`there is no machine ${index}`)
    return one
  }

  test('goes through its phases as the nodes report them, and every node is trusted by every other in each', async () => {
    const before = await row()
    const [old = ''] = trustedCas(before)
    const { cluster } = await start('rotateClusterCa')
    expect(cluster.caRotation).toMatchObject({
      phase: 'TRUST_BOTH',
      version: before.configVersion + 1,
      waitingFor: 2,
      waitingNodes: ['a', 'b'],
    })
    const trusting = await row()
    expect(trusting.pkiCaCert).toBe(old)
    expect(trustedCas(trusting)).toEqual([old, trusting.pkiOtherCaCert])
    expect(trusting.pkiOtherCaKey).toMatch(/^v1\./)
    const fresh = parseCaCertificate(trusting.pkiOtherCaCert ?? '')
    expect(cluster.caRotation?.newFingerprint).toBe(fresh.fingerprint)

    // Reported is not published, and one node is not all.
    await report(machine(0).token, trusting.configVersion)
    await report(machine(1).token, trusting.configVersion)
    expect((await rotation())?.phase).toBe('TRUST_BOTH')
    await app.publish()
    await sweep()
    const signing = await row()
    expect(signing).toMatchObject({ caRotationPhase: 'SIGN_AGAIN', configVersion: trusting.configVersion + 1 })
    expect(trustedCas(signing)).toEqual([fresh.pem, old])

    await app.publish()
    for (const node of await app.database.client.node.findMany({ where: { clusterId } })) {
      expect(parseNodeCertificate(node.certificate ?? '').issuer).toBe(fresh.fingerprint)
    }
    await report(machine(0).token, signing.configVersion)
    expect(await rotation()).toMatchObject({ phase: 'SIGN_AGAIN', waitingFor: 1, waitingNodes: ['b'] })
    await report(machine(1).token, signing.configVersion)
    const dropping = await row()
    expect(dropping).toMatchObject({ caRotationPhase: 'DROP_OLD', pkiOtherCaCert: null, pkiOtherCaKey: null })
    expect(trustedCas(dropping)).toEqual([fresh.pem])
    for (const node of await app.database.client.node.findMany({ where: { clusterId } })) {
      verifyNode(parseNodeCertificate(node.certificate ?? ''), [fresh], new Date())
    }

    await app.publish()
    const last = dropping.configVersion
    await report(machine(0).token, last)
    expect(await rotation()).toMatchObject({ phase: 'DROP_OLD', waitingFor: 1, waitingNodes: ['b'] })
    await report(machine(1).token, last)
    expect(await rotation()).toBeNull()
    expect(await row()).toMatchObject({ configVersion: last, caRotationStartedAt: null })
  })

  test('waits for a node whose certificate was not signed again', async () => {
    await start('rotateClusterCa')
    const trusted = await publish()
    for (const { token } of machines) await report(token, trusted)
    const version = await publish()
    for (const { token } of machines) await report(token, version)
    expect(await rotation()).toMatchObject({ phase: 'SIGN_AGAIN', waitingFor: 2, waitingNodes: ['a', 'b'] })
    await signAll()
    await report(machine(0).token, version)
    expect((await rotation())?.phase).toBe('DROP_OLD')
  })

  test('waits for the nodes of the last day alone', async () => {
    await app.database.client.node.update({
      where: { id: machine(1).id },
      data: { lastSeenAt: new Date(Date.now() - 25 * 3600_000) },
    })
    await start('rotateClusterCa')
    expect(await rotation()).toMatchObject({ waitingFor: 1, waitingNodes: ['a'] })
    await report(machine(0).token, await publish())
    expect((await rotation())?.phase).toBe('SIGN_AGAIN')
  })

  test('takes each step once, however many instances look after it', async () => {
    await start('rotateClusterCa')
    const version = await publish()
    await app.database.client.node.updateMany({ where: { clusterId }, data: { runningConfigVersion: version } })
    await Promise.all(Array.from({ length: 8 }, sweep))
    expect(await row()).toMatchObject({ caRotationPhase: 'SIGN_AGAIN', configVersion: version + 1 })
  })

  test('can be aborted while both are trusted: the new CA goes', async () => {
    const { pkiCaCert, configVersion } = await row()
    await start('rotateClusterCa')
    const { cluster } = await start('abortClusterCaRotation')
    expect(cluster.caRotation).toBeNull()
    expect(await row()).toMatchObject({
      pkiCaCert,
      pkiOtherCaCert: null,
      pkiOtherCaKey: null,
      configVersion: configVersion + 2,
    })
  })

  test('can be aborted while certificates are signed again: the old CA signs, then the new one goes', async () => {
    const { pkiCaCert } = await row()
    await start('rotateClusterCa')
    const trusted = await publish()
    for (const { token } of machines) await report(token, trusted)
    const fresh = (await row()).pkiCaCert
    expect(fresh).not.toBe(pkiCaCert)
    await signAll()
    const { cluster } = await start('abortClusterCaRotation')
    expect(cluster.caRotation).toMatchObject({ phase: 'SIGN_AGAIN', waitingFor: 2 })
    expect(cluster.caRotation?.newFingerprint).toBe(parseCaCertificate(pkiCaCert ?? '').fingerprint)
    expect(trustedCas(await row())).toEqual([pkiCaCert, fresh])
    await signAll()
    for (const { token } of machines) await report(token, await publish())
    expect(await row()).toMatchObject({ caRotationPhase: 'DROP_OLD', pkiCaCert, pkiOtherCaCert: null })
    expect(await start('abortClusterCaRotation')).toMatchObject({ __typename: 'ConflictError' })
  })

  test('gives nodes the new CA at once when the old one has expired', async () => {
    const past = (days: number) => new Date(Date.now() - days * 86_400_000)
    const dates = { notBefore: past(20), notAfter: past(10) }
    const limits = { networks: [], unsafeNetworks: [], groups: ['web'] }
    const expired = createCa({ version: 1, name: 'old', ...dates, ...limits })
    const pkiCaKey = app.vault.seal(exportCaKey(expired), clusterId)
    const data = { pkiCaCert: expired.certificate.pem, pkiCaKey }
    await app.database.client.cluster.update({ where: { id: clusterId }, data })
    const { token, publicKey } = machine(0)
    expect(await mutate(app, token, 'renewNodeCertificate', { publicKey })).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/the CA "old" expired at/),
    })
    expect((await start('rotateClusterCa')).cluster.caRotation).toMatchObject({ phase: 'DROP_OLD', waitingFor: 2 })
    const { pkiCaCert, pkiOtherCaCert } = await row()
    expect(pkiOtherCaCert).toBeNull()
    expect(parseCaCertificate(pkiCaCert ?? '').groups).toEqual(['web'])
    await signAll()
    for (const one of machines) await report(one.token, await publish())
    expect(await rotation()).toBeNull()
  })

  test('keeps others from changing what it changes', async () => {
    await start('rotateClusterCa')
    expect(await start('rotateClusterCa')).toMatchObject({ __typename: 'ConflictError' })
    const input = { clusterId, certificateVersion: 2 }
    expect(await mutate(app, world.admin, 'updateClusterCertificates', input)).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/is being rotated/),
    })
    await start('abortClusterCaRotation')
    expect(await start('abortClusterCaRotation')).toMatchObject({
      __typename: 'ConflictError',
      message: 'No rotation of the CA runs',
    })
  })
})
