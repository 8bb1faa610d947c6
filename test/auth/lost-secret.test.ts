import { randomBytes, randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../src/auth/system.ts'
import { advanceCaRotations } from '../../src/domain/pki/ca-rotation.ts'
import { trustedCas } from '../../src/domain/pki/cluster-ca.ts'
import { ClosedClusters } from '../../src/domain/pki/closed-clusters.ts'
import { Vault } from '../../src/domain/pki/vault.ts'
import { createCa, exportCaKey, type CertificateAuthority } from '../../src/pki/ca.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../src/pki/keys.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { bumping, callWith } from '../support/changes.ts'
import { certify, fetchSlice, type Identity } from '../support/certified.ts'
import { createMigratedDatabase, engines } from '../support/database.ts'
import { drained } from '../support/drained.ts'
import { eventually } from '../support/eventually.ts'
import { mutate } from '../support/mutate.ts'
import { operatorToken, orrery } from '../support/orrery-process.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

const newSecret = () => randomBytes(32).toString('hex')
const newKey = () => formatPublicKey(generateNodeKeyPair().publicKey)

function newCa(name: string): CertificateAuthority {
  const [notBefore, notAfter] = [new Date(Date.now() - 86_400_000), new Date(Date.now() + 365 * 86_400_000)]
  return createCa({ version: 1, name, notBefore, notAfter, networks: [], unsafeNetworks: [], groups: [] })
}

const filesOf = (ca: CertificateAuthority) => ({ caCertificate: ca.certificate.pem, caKey: exportCaKey(ca) })

describe.each(engines)('a cluster whose keys do not open, on %s', (engine) => {
  let app: TestApp
  let world: World
  let clusterId: string
  let clusterToken: string
  let node: { id: string; token: string }
  let identity: Identity
  /** The cluster's CA, which was made elsewhere. */
  let own: CertificateAuthority
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'lost', randomUUID())
  })
  afterAll(() => app.close())

  const row = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
  const certificate = async () =>
    (await app.database.client.node.findUniqueOrThrow({ where: { id: node.id } })).certificate ?? ''
  const issuer = async () => parseNodeCertificate(await certificate()).issuer
  const importPki = (ca: CertificateAuthority) =>
    mutate(app, world.admin, 'importClusterPki', { clusterId, ...filesOf(ca) })
  const enroll = () => mutate(app, clusterToken, 'enrollNode', { name: randomUUID(), publicKey: newKey() })
  /** All nodes run what was published last, and the rotation goes on. */
  const run = async () => {
    await app.publish()
    const { publishedConfigVersion: runningConfigVersion } = await row()
    await app.database.client.node.updateMany({
      where: { clusterId },
      data: { runningConfigVersion, lastSeenAt: new Date() },
    })
    await drained(advanceCaRotations(systemOperator(app.database, app.vault)))
  }
  const canBeSignedFor = async () => {
    const query = `query ($id: UUID!) { cluster(id: $id) { canBeSignedFor } }`
    const { cluster } = await app.ask<{ cluster: object }>(world.viewer, query, { id: clusterId })
    return cluster
  }

  // A node that runs, of a cluster with a CA of its own, in a database that a lost secret has sealed.
  beforeEach(async () => {
    const input = { name: randomUUID() }
    const made = await mutate<{ cluster: { id: string }; token: string }>(
      app,
      world.admin,
      'createCluster',
      input,
      'cluster { id } token',
    )
    clusterId = made.cluster.id
    clusterToken = made.token
    own = newCa('own')
    await importPki(own)
    node = await createNode(app, world.admin, { clusterId, name: 'node' })
    identity = await certify(app, node.token)
    await run()
    const lost = new Vault(newSecret())
    const sealed = await row()
    const reseal = (text: string | null) => lost.seal(app.vault.unseal(text ?? '', clusterId), clusterId)
    const keys = { pkiCaKey: reseal(sealed.pkiCaKey), bundleSigningKey: reseal(sealed.bundleSigningKey) }
    await app.database.client.cluster.update({ where: { id: clusterId }, data: keys })
  })

  test('is changed by nobody: each refusal is typed, says what to do, and changes nothing', async () => {
    const before = await row()
    const calls: typeof bumping = {
      ...bumping,
      deleteNode: ({ nodeId }) => ({ nodeId }),
      deleteNodes: ({ nodeId }) => ({ ids: [nodeId] }),
      rollbackClusterConfig: () => ({ clusterId, version: before.publishedConfigVersion }),
    }
    const refused = {
      __typename: 'ConflictError',
      message: expect.stringMatching(/ORRERY_SECRET[^]*importClusterPki[^]*rotateClusterCa/),
    }
    const select = '__typename ... on Error { message }'
    for (const [mutation, make] of Object.entries(calls)) {
      if (mutation === 'rotateClusterCa') continue // It puts the cluster right.
      const input = await make({ ...world, clusterId, nodeId: node.id }, app)
      for (const tried of mutation === 'updateNodeMtu' ? [input, { ...input, dryRun: true }] : [input]) {
        const { text } = await callWith(app, world.admin, mutation, { input: tried, select })
        expect(JSON.parse(text)).toEqual({ data: { [mutation]: refused } })
      }
    }
    expect(await enroll()).toEqual(refused)
    expect(await mutate(app, node.token, 'renewNodeCertificate', { publicKey: newKey() })).toEqual(refused)
    expect(await row()).toEqual(before)
    expect(await canBeSignedFor()).toEqual({ canBeSignedFor: false })
    // What is there is served on, and a cluster that nobody needs any more can go.
    expect((await fetchSlice(app, node.token, identity)).manifest.version).toBe(before.publishedConfigVersion)
    expect((await mutate(app, world.admin, 'deleteCluster', { clusterId })).__typename).toBe('DeleteClusterPayload')
  })

  test('works again when its CA is imported again: the certificates of its nodes are good still', async () => {
    const held = await certificate()
    expect((await importPki(own)).__typename).toBe('ImportClusterPkiPayload')
    expect(await row()).toMatchObject({ caRotationPhase: null, pkiCaCert: own.certificate.pem })
    expect(await canBeSignedFor()).toEqual({ canBeSignedFor: true })
    await run()
    expect(await certificate()).toBe(held)
    expect((await enroll()).__typename).toBe('EnrollNodePayload')
    // The key that signs bundles is a new one: a machine takes them when it has enrolled again.
    await expect(fetchSlice(app, node.token, identity)).rejects.toThrow(/signature/i)
    const slice = await fetchSlice(app, node.token, await certify(app, node.token))
    expect(slice.manifest.version).toBe((await row()).publishedConfigVersion)
  })

  test.each([
    ['a rotation', () => mutate(app, world.admin, 'rotateClusterCa', { clusterId })],
    ['the import of another CA', () => importPki(newCa('other'))],
  ])(
    'works again after %s: the old CA is trusted until every node has a certificate of the new one',
    async (_what, repair) => {
      expect((await repair()).message).toBeUndefined()
      const signing = await row()
      expect(signing).toMatchObject({ caRotationPhase: 'SIGN_AGAIN', pkiOtherCaKey: null })
      expect(trustedCas(signing)).toEqual([signing.pkiCaCert, own.certificate.pem])
      expect(signing.pkiCaCert).not.toBe(own.certificate.pem)
      expect(await mutate(app, world.admin, 'abortClusterCaRotation', { clusterId })).toMatchObject({
        __typename: 'ConflictError',
        message: expect.stringMatching(/key of the old CA was lost/),
      })
      expect((await enroll()).__typename).toBe('EnrollNodePayload')
      expect(await issuer()).toBe(own.certificate.fingerprint)
      await run()
      expect(await issuer()).not.toBe(own.certificate.fingerprint)
      expect(await row()).toMatchObject({ caRotationPhase: 'DROP_OLD', pkiOtherCaCert: null })
      await run()
      expect(await row()).toMatchObject({ caRotationPhase: null, caRotationStartedBy: null })
      expect(await canBeSignedFor()).toEqual({ canBeSignedFor: true })
    },
  )

  test('in the middle of a rotation: importing the CA that signs gives the rotation up', async () => {
    const { pkiOtherCaCert, pkiOtherCaKey } = { pkiOtherCaCert: newCa('new').certificate.pem, pkiOtherCaKey: 'v1.AAAA' }
    const rotating = { caRotationPhase: 'TRUST_BOTH', caRotationVersion: 3, pkiOtherCaCert, pkiOtherCaKey }
    await app.database.client.cluster.update({ where: { id: clusterId }, data: rotating })
    await importPki(own)
    expect(await row()).toMatchObject({ caRotationPhase: null, pkiOtherCaCert: null, pkiOtherCaKey: null })
    await run()
    expect(await issuer()).toBe(own.certificate.fingerprint)
  })

  test('a CA that is there is taken again; another one would part the nodes while its key opens', async () => {
    await importPki(own)
    expect((await importPki(own)).__typename).toBe('ImportClusterPkiPayload')
    expect(await importPki(newCa('other'))).toMatchObject({
      __typename: 'ConflictError',
      message: expect.stringMatching(/would part them/),
    })
  })

  test('a look at all clusters names it in one line, and no look after it says it again', async () => {
    const closed = new ClosedClusters({ operator: app.operatorScope, vault: app.vault, log: app.app.log })
    app.takeLog()
    await closed.look()
    const lines = app.takeLog()
    expect(lines).toEqual([expect.objectContaining({ level: 50, clusters: expect.arrayContaining([clusterId]) })])
    expect(lines[0]?.msg).toMatch(/cannot be signed for[^]*importClusterPki[^]*rotateClusterCa/)
    expect(closed.isClosed(await row())).toBe(true)
    expect(await closed.areAny()).toBe(true)
    expect(app.takeLog()).toEqual([])
    await importPki(own)
    expect(await closed.areAny()).toBe(false)
    expect(app.takeLog()).toContainEqual(expect.objectContaining({ clusterId, msg: expect.stringMatching(/again/) }))
  })

  test('a server that starts with another secret says so, serves, and warns until it is put right', async () => {
    const database = await createMigratedDatabase(engine)
    const folder = await mkdtemp(join(tmpdir(), 'orrery-lost-'))
    const home = { DATABASE_URL: database.url, ORRERY_DATA_DIR: folder }
    const asking = (url: string, token: string) => async (query: string, variables: object) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const body = JSON.stringify({ query, variables })
      const response = await fetch(`${url}/graphql`, { method: 'POST', headers, body })
      return (await response.json()) as { data: Record<string, Record<string, { id: string }> & { message?: string }> }
    }
    try {
      const first = { ...home, ORRERY_SECRET: newSecret() }
      const before = orrery(['serve'], first)
      const ask = asking((await before.ready()).url, await operatorToken(first))
      const tenant = `mutation { createTenant(input: { name: "t" }) { ... on CreateTenantPayload { tenant { id } } } }`
      const tenantId = (await ask(tenant, {})).data['createTenant']?.['tenant']?.id
      const create = `mutation ($tenantId: UUID) { createCluster(input: { name: "c", tenantId: $tenantId }) {
        ... on CreateClusterPayload { cluster { id } } } }`
      const id = (await ask(create, { tenantId })).data['createCluster']?.['cluster']?.id
      before.child.kill('SIGTERM')
      await before.ended

      const other = { ...home, ORRERY_SECRET: newSecret() }
      const after = orrery(['serve'], other)
      const { url } = await after.ready()
      const ready = async () => {
        const response = await fetch(`${url}/readyz`)
        return { status: response.status, ...((await response.json()) as { warnings?: string[] }) }
      }
      await eventually('it warns', async () => (await ready()).warnings)
      expect(await ready()).toEqual({
        status: 'ready',
        checks: { database: 'ok', migrations: 'ok', news: 'ok', resources: 'ok', streams: 'ok' },
        warnings: [expect.stringMatching(/cannot be signed for/)],
      })
      expect((await fetch(`${url}/readyz`)).status).toBe(200)
      const again = asking(url, await operatorToken(other))
      const change = (name: string) =>
        again(`mutation ($id: UUID!) { ${name}(input: { clusterId: $id }) { __typename ... on Error { message } } }`, {
          id,
        })
      expect((await change('publishClusterConfig')).data['publishClusterConfig']?.message).toMatch(/ORRERY_SECRET/)
      expect((await change('rotateClusterCa')).data['rotateClusterCa']).not.toHaveProperty('message')
      await eventually('it warns no more', async () => (await ready()).warnings === undefined)
      expect((await change('publishClusterConfig')).data['publishClusterConfig']).not.toHaveProperty('message')
      after.child.kill('SIGTERM')
      const { output } = await after.ended
      expect(output).toContain(`"clusters":["${id}"],"count":1`)
      expect(output).not.toContain('publishing failed')
    } finally {
      await rm(folder, { recursive: true, force: true })
      await database.drop()
    }
  }, 120_000)
})
