import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { replacementDueAt, statusAt, warningsOf } from '../../../src/domain/pki/ends.ts'
import { EndsWatch } from '../../../src/domain/pki/ends-watch.ts'
import { Vault } from '../../../src/domain/pki/vault.ts'
import { createCa, exportCaKey } from '../../../src/pki/ca.ts'
import { parseCaCertificate } from '../../../src/pki/certificate.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { drained } from '../../support/drained.ts'
import { mutate } from '../../support/mutate.ts'
import { planOf } from '../../support/plans.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const day = 86_400_000
const inDays = (days: number, from = Date.now()) => new Date(from + days * day)

describe('when something ends soon', () => {
  test.each([
    [3650, [30, 7, 1]],
    [120, [30, 7, 1]],
    [119, [7, 1]],
    [30, [7, 1]],
    [27, [1]],
    [4, [1]],
    [3, [0.25]],
    [1, [0.25]],
  ])('what is valid for %d days is spoken of %j days before its end', (lifetime, warnings) => {
    expect(warningsOf(lifetime)).toEqual(warnings)
  })

  test.each([
    [31, 3650, 'VALID'],
    [30, 3650, 'ENDS_SOON'],
    [8, 30, 'VALID'],
    [7, 30, 'ENDS_SOON'],
    [0.3, 1, 'VALID'],
    [0.2, 1, 'ENDS_SOON'],
    [0, 30, 'ENDED'],
    [-1, 30, 'ENDED'],
  ])('%d days before the end of what is valid for %d, it is %s', (left, lifetime, status) => {
    const now = new Date()
    expect(statusAt(inDays(left, now.getTime()), lifetime, now)).toBe(status)
  })

  test.each([
    [3650, 30],
    [120, 30],
    [100, 25],
    [1, 0.25],
  ])('a CA of %d days is due to be replaced %d days before its end', (lifetime, ahead) => {
    const notBefore = new Date()
    const notAfter = inDays(lifetime, notBefore.getTime())
    expect(replacementDueAt({ notBefore, notAfter })).toEqual(inDays(-ahead, notAfter.getTime()))
  })
})

describe.each(engines)('what ends, on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'ends', randomUUID())
  })
  afterAll(() => app.close())
  beforeEach(async () => {
    const input = { name: randomUUID() }
    const made = await mutate<{ cluster: { id: string } }>(app, world.admin, 'createCluster', input, 'cluster { id }')
    clusterId = made.cluster.id
  })

  const rows = () => app.database.client.cluster
  const row = () => rows().findUniqueOrThrow({ where: { id: clusterId } })
  /** Nodes of the cluster with certificates that end so many days from now, all of them at its newest version. */
  const certified = async (ends: Readonly<Record<string, number>>) => {
    for (const [name, days] of Object.entries(ends)) {
      const { id, token } = await createNode(app, world.admin, { clusterId, name })
      await certify(app, token)
      const data = { certificateExpiresAt: inDays(days), lastSeenAt: new Date() }
      await app.database.client.node.update({ where: { id }, data })
    }
    await app.publish()
    const { publishedConfigVersion: runningConfigVersion } = await row()
    await app.database.client.node.updateMany({ where: { clusterId }, data: { runningConfigVersion } })
  }
  /** Gives the cluster a CA that is valid for a hundred days and ends so many from now. */
  const caEndsIn = async (days: number, vault = app.vault) => {
    const limits = { networks: [], unsafeNetworks: [], groups: [] }
    const ca = createCa({
      version: 1,
      name: 'ending',
      notBefore: inDays(days - 100),
      notAfter: inDays(days),
      ...limits,
    })
    const data = { pkiCaCert: ca.certificate.pem, pkiCaKey: vault.seal(exportCaKey(ca), clusterId) }
    await rows().update({ where: { id: clusterId }, data })
    return ca.certificate
  }
  const counts = 'total applied pending failed certificateEnded certificateEndsSoon'
  const fields = `caStatus caRotatesAutomatically caRotationDueAt caRotation { phase startedBy isAutomatic }
    convergence { ${counts} } nodes { nodes { name certificateStatus } }`
  const ask = async () => {
    const query = `query ($id: UUID!) { cluster(id: $id) { ${fields} } }`
    const { cluster } = await app.ask<{ cluster: Record<string, unknown> }>(world.viewer, query, { id: clusterId })
    return cluster
  }
  const watching = (now: () => number = Date.now) =>
    new EndsWatch({ operator: systemOperator(app.database, app.vault), vault: app.vault, log: app.app.log, now })
  /** What a look says of the cluster. */
  const said = async (watch: EndsWatch) => {
    app.takeLog()
    await drained(watch.look())
    return app.takeLog().filter((line) => line['clusterId'] === clusterId)
  }

  test('a node whose certificate has ended has failed, though it runs the newest version and complains of nothing', async () => {
    await certified({ a: 20, b: 3, c: -1 })
    expect(await ask()).toMatchObject({
      convergence: { total: 3, applied: 2, pending: 0, failed: 1, certificateEnded: 1, certificateEndsSoon: 1 },
      nodes: {
        nodes: [
          { name: 'a', certificateStatus: 'VALID' },
          { name: 'b', certificateStatus: 'ENDS_SOON' },
          { name: 'c', certificateStatus: 'ENDED' },
        ],
      },
    })
    // One that has failed for two reasons is one node.
    const where = { tenantId_clusterId_name: { tenantId: world.tenantId, clusterId, name: 'c' } }
    await app.database.client.node.update({ where, data: { lastError: 'no', runningConfigVersion: 1 } })
    expect(await ask()).toMatchObject({ convergence: { total: 3, applied: 2, failed: 1, certificateEnded: 1 } })
  })

  test('when its CA has ended, nothing of the cluster is fine', async () => {
    await certified({ a: 20, b: 3 })
    await caEndsIn(-1)
    expect(await ask()).toMatchObject({
      caStatus: 'ENDED',
      convergence: { total: 2, applied: 0, pending: 0, failed: 2, certificateEnded: 2 },
      nodes: { nodes: [{ certificateStatus: 'ENDED' }, { certificateStatus: 'ENDED' }] },
    })
  })

  test('the figures of many clusters are two statements, along indexes', async () => {
    const statementsOf = async (first: number) => {
      app.takeStatements()
      await app.ask(app.operator, `{ clusters(first: ${first}) { nodes { convergence { ${counts} } } } }`)
      return app.takeStatements().filter((statement) => /\bnodes\b/.test(statement))
    }
    expect(await statementsOf(1)).toHaveLength(2)
    const statements = await statementsOf(50)
    expect(statements).toHaveLength(2)
    if (engine === 'postgresql') return
    for (const statement of statements) {
      const plan = await planOf(app.database, statement)
      expect(plan).toContain(
        'INDEX idx_nodes_certificate_ends (tenant_id=? AND cluster_id=? AND certificate_expires_at<?)',
      )
      expect(plan).not.toMatch(/SCAN (x|nodes)/)
    }
  })

  test('the log says it once for each time before an end, and another master once more', async () => {
    await rows().update({ where: { id: clusterId }, data: { caRotationAutomatic: false } })
    await certified({ a: 40, b: 40 })
    await caEndsIn(40)
    let now = Date.now()
    const watch = watching(() => now)
    const days = [0, 25, 32, 33.5, 35, 39.5, 40.5, 41]
    const words: string[][] = []
    for (const later of days) {
      now = inDays(later).getTime()
      words.push((await said(watch)).map(({ msg }) => msg))
      expect(await said(watch)).toEqual([])
    }
    const ca = (text: string) => expect.stringMatching(new RegExp(`^the CA of cluster .* ${text}.*; replace it`))
    const nodes = (text: string) => expect.stringMatching(new RegExp(`^certificates of nodes of cluster .*: ${text}`))
    expect(words).toEqual([
      [],
      [],
      [],
      [ca('within 7 days'), nodes('0 have ended, 2 were not renewed in time and end within 7 days$')],
      [],
      [ca('within a day'), nodes('0 have ended, 2 .* within 7 days, 2 of them within a day$')],
      [ca('ended at'), nodes('2 have ended, 0 were')],
      [],
    ])
    const again = await said(watching(() => now))
    expect(again.map(({ level }) => level)).toEqual([50, 50])
    expect(again[1]).toMatchObject({ ended: 2, soon: 0, nodes: ['a', 'b'] })
  })

  test('a CA is replaced by itself in time, by the same steps, and the API says so', async () => {
    await certified({ a: 20 })
    const far = await caEndsIn(26)
    expect(await ask()).toMatchObject({
      caStatus: 'VALID',
      caRotatesAutomatically: true,
      caRotationDueAt: replacementDueAt(far).toISOString(),
      caRotation: null,
    })
    const watch = watching()
    await drained(watch.look())
    expect((await ask())['caRotation']).toBeNull()
    const old = await caEndsIn(24)
    const lines = await said(watch)
    expect(lines.map(({ msg }) => msg)).toEqual([expect.stringMatching(/has begun by itself$/)])
    expect(await ask()).toMatchObject({
      caRotationDueAt: null,
      caRotation: { phase: 'TRUST_BOTH', startedBy: 'Orrery', isAutomatic: true },
    })
    const { pkiCaCert, pkiOtherCaCert, configVersion, pendingChanges } = await row()
    expect(pkiCaCert).toBe(old.pem)
    const { notBefore, notAfter } = parseCaCertificate(pkiOtherCaCert ?? '')
    expect(notAfter.getTime() - notBefore.getTime()).toBe(100 * day)
    expect(pendingChanges).toContain('CA rotation: the CA ends soon (Orrery)')
    await drained(watch.look())
    expect((await row()).configVersion).toBe(configVersion)
  })

  test('not where the cluster says otherwise, which is a change like others', async () => {
    await caEndsIn(10)
    const set = (automatic: boolean, expectedVersion: number) =>
      mutate(app, world.admin, 'updateClusterCaRotation', { clusterId, automatic, expectedVersion })
    const { configVersion } = await row()
    expect((await set(false, configVersion)).__typename).toBe('UpdateClusterCaRotationPayload')
    expect((await set(false, configVersion)).__typename).toBe('ConflictError')
    await drained(watching().look())
    expect(await ask()).toMatchObject({ caRotatesAutomatically: false, caRotationDueAt: null, caRotation: null })
    await set(true, configVersion + 1)
    // One begins it if two look at the same time, as an old and a new master may.
    await Promise.all(Array.from({ length: 4 }, () => drained(watching().look())))
    expect(await ask()).toMatchObject({ caRotation: { phase: 'TRUST_BOTH' } })
    expect(await row()).toMatchObject({ configVersion: configVersion + 3 })
  })

  test('not where its key is not there, or does not open; the log says that people have to', async () => {
    await caEndsIn(5, new Vault('another secret, of at least thirty-two characters'))
    const { configVersion } = await row()
    const [line] = await said(watching())
    expect(line?.msg).toMatch(/within 7 days; its key does not open under this server’s secret/)
    await rows().update({ where: { id: clusterId }, data: { pkiCaKey: null } })
    await drained(watching().look())
    expect(await row()).toMatchObject({ configVersion, caRotationPhase: null })
  })

  test('a CA that has ended is replaced at once, and the nodes that fetch the next version are fine again', async () => {
    await certified({ a: 20, b: 20 })
    await caEndsIn(-1)
    await drained(watching().look())
    expect(await ask()).toMatchObject({ caRotation: { phase: 'DROP_OLD', isAutomatic: true } })
    await app.publish()
    const { publishedConfigVersion: runningConfigVersion } = await row()
    await app.database.client.node.updateMany({ where: { clusterId }, data: { runningConfigVersion } })
    expect(await ask()).toMatchObject({
      caStatus: 'VALID',
      convergence: { total: 2, applied: 2, failed: 0, certificateEnded: 0 },
    })
  })

  test('a change is published though the CA has ended: a revocation is not held up by it', async () => {
    const { id, token } = await createNode(app, world.admin, { clusterId, name: 'gone' })
    await certify(app, token)
    await caEndsIn(-1)
    await mutate(app, world.admin, 'deleteNode', { nodeId: id })
    await app.publish()
    const { configVersion, publishedConfigVersion } = await row()
    expect(publishedConfigVersion).toBe(configVersion)
  })
})
