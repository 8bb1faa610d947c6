import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import type { Operator } from '../../../src/auth/scope.ts'
import { systemOperator } from '../../../src/auth/system.ts'
import type { ResignedNode } from '../../../src/db/writes/certificates.ts'
import { superseding } from '../../../src/domain/signing/node-certificate.ts'
import { publishCluster } from '../../../src/domain/publishing/publish.ts'
import { parseCertificates } from '../../../src/pki/certificate.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify, fetchSlice } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

const expired = 'e'.repeat(64)
const valid = 'f'.repeat(64)

describe.each(engines)('certificates that are signed again for a version, on %s', (engine) => {
  let app: TestApp
  let world: World
  let operator: Operator
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'signed-again', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    operator = systemOperator(app.database)
  })
  afterAll(() => app.close())

  const row = (id: string) => nodeRow(app, id)
  const certifiedNode = async () => {
    const node = await newNode(app, world)
    return { ...node, identity: await certify(app, node.token) }
  }
  /** As its agent does, with the key that it has: no version comes of it. */
  const renew = async ({ id, token }: { id: string; token: string }) => {
    const { publicKey } = await row(id)
    const renewal = await mutate<{ certificate: string }>(
      app,
      token,
      'renewNodeCertificate',
      { publicKey },
      'certificate',
    )
    return renewal.certificate
  }
  /** The next version gives every node another certificate: of version 2 with one of version 1 before it, or of 1 alone. */
  const wantOthers = async () => {
    const { clusterId } = world
    const cluster = await app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
    const certificateVersion = cluster.certificateVersion === 1 ? 2 : 1
    // What agents report decides whether they can read it.
    await app.database.client.node.updateMany({ data: { nebulaVersion: '1.10.0' } })
    await mutate(app, world.admin, 'updateClusterCertificates', { clusterId, certificateVersion })
    return certificateVersion
  }
  /** Publishes with a store that does something before its first write. */
  const publishAfter = (first: () => Promise<unknown>) => {
    let turns = 0
    const replace = async (resigned: readonly ResignedNode[]) => {
      turns += 1
      if (turns === 1) await first()
      return operator.certificates.replace(resigned)
    }
    const scope: Operator = { ...operator, certificates: { replace } }
    return publishCluster({ scope, vault: app.vault, log: app.app.log }, world.clusterId).then(() => turns)
  }

  test('are in their rows, and those before them among what is revoked with the node: every block, as ever', async () => {
    const node = await certifiedNode()
    const superseded = { [expired]: '2020-01-01T00:00:00.000Z', [valid]: '2099-01-01T00:00:00.000Z' }
    const where = { id: node.id }
    await app.database.client.node.update({ where, data: { supersededCertificates: superseded } })
    for (let turn = 0; turn < 2; turn += 1) {
      const before = await row(node.id)
      const version = await wantOthers()
      await app.publish()
      const after = await row(node.id)
      const blocks = parseCertificates(after.certificate ?? '')
      expect(blocks).toHaveLength(version === 2 ? 2 : 1)
      expect(after.supersededCertificates).toEqual(superseding(before))
      expect(Object.keys(after.supersededCertificates as object)).toContain(valid)
      expect(Object.keys(after.supersededCertificates as object)).not.toContain(expired)
      expect(after.certificateFingerprint).toBe(blocks.at(-1)?.fingerprint)
      expect(after.certificateExpiresAt).toEqual(blocks.at(-1)?.notAfter)
      expect((await fetchSlice(app, node.token, node.identity)).certificate).toBe(after.certificate)
    }
  })

  test('do not take the place of one that the node renewed meanwhile: the version is made anew', async () => {
    const node = await certifiedNode()
    const other = await certifiedNode()
    await app.publish()
    await wantOthers()
    let renewed = ''
    const turns = await publishAfter(async () => {
      renewed = await renew(node)
    })
    expect(turns).toBe(2)
    const after = await row(node.id)
    expect(after.certificate).toBe(renewed)
    expect((await fetchSlice(app, node.token, node.identity)).certificate).toBe(renewed)
    expect((await fetchSlice(app, other.token, other.identity)).certificate).toBe((await row(other.id)).certificate)
  })

  test('do not come back with a node that was deleted meanwhile', async () => {
    const node = await certifiedNode()
    await app.publish()
    await wantOthers()
    await publishAfter(() => mutate(app, world.admin, 'deleteNode', { nodeId: node.id }))
    await app.publish()
    expect(await app.database.client.node.findUnique({ where: { id: node.id } })).toBeNull()
  })

  test('are written in a statement for each five hundred nodes', async () => {
    const { tenantId, clusterId } = world
    const ids = Array.from({ length: 1200 }, () => randomUUID())
    const rows = ids.map((id, index) => ({
      ...{ id, tenantId, clusterId, name: id, tokenHash: id, routes: [], groups: [] },
      overlayIp: `10.42.${100 + (index >> 8)}.${index & 255}`,
    }))
    await app.database.client.node.createMany({ data: rows })
    const resigned = ids.map((nodeId) => ({
      ...{ nodeId, previousFingerprint: null, replaced: {}, certificate: 'PEM', fingerprint: nodeId },
      expiresAt: new Date('2030-01-02T03:04:05Z'),
    }))
    app.takeStatements()
    expect(await operator.certificates.replace(resigned)).toBe(true)
    const statements = app.takeStatements().filter((sql) => !/^(BEGIN|COMMIT)/.test(sql))
    expect(statements).toHaveLength(3)
    // Written as Prisma writes: its conditions find them.
    const found = await app.database.client.node.count({
      where: { certificate: 'PEM', certificateExpiresAt: { equals: new Date('2030-01-02T03:04:05Z') } },
    })
    expect(found).toBe(1200)
    expect(await operator.certificates.replace(resigned)).toBe(false)
  })
})
