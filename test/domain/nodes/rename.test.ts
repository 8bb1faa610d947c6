import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../../support/app.ts'
import { certify } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { mutate, refusedWith } from '../../support/mutate.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { createNode, createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

describe.each(engines)('renaming on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'own', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
    await app.database.client.configBundle.deleteMany({})
  })
  afterAll(() => app.close())

  const clusterRow = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
  const rename = (nodeId: string, name: string, token = world.admin, more: object = {}) =>
    mutate(app, token, 'renameNode', { nodeId, name, ...more }, 'node { id name overlayIp } warnings { code path }')
  const fingerprintOf = ({ certificate }: { certificate: string | null }) =>
    parseNodeCertificate(certificate ?? '').fingerprint
  const hostRule = (host: string) => {
    const rule = { port: 'any', proto: 'ANY', host }
    const firewall = { inbound: [rule], outbound: [{ ...rule, host: 'any' }] }
    return mutate(app, world.admin, 'updateClusterFirewall', { clusterId: world.clusterId, firewall })
  }

  describe('a node', () => {
    test('gives it the name everywhere: its row, its certificate, and the next bundle’s message', async () => {
      const { id, token } = await newNode(app, world)
      await certify(app, token)
      await app.publish()
      const before = await nodeRow(app, id)
      const { configVersion } = await clusterRow()
      expect(await rename(id, '  db-1 ')).toMatchObject({
        node: { id, name: 'db-1', overlayIp: before.overlayIp },
        warnings: [],
      })
      const after = await nodeRow(app, id)
      expect(parseNodeCertificate(after.certificate ?? '').name).toBe('db-1')
      expect(after).toMatchObject({ publicKey: before.publicKey, tokenHash: before.tokenHash })
      expect(await clusterRow()).toMatchObject({
        configVersion: configVersion + 1,
        pendingChanges: expect.stringContaining(`${before.name}: renamed to db-1`) as unknown,
      })
    })

    test('revokes the certificates with the former name, since a rule for it must not mean them any more', async () => {
      const { id, token } = await newNode(app, world)
      await certify(app, token)
      const first = fingerprintOf(await nodeRow(app, id))
      await mutate(app, world.admin, 'updateNodeRoutes', { nodeId: id, routes: ['192.168.70.0/24'] })
      const second = fingerprintOf(await nodeRow(app, id))
      await rename(id, randomUUID())
      const { pkiCrl } = await clusterRow()
      expect(pkiCrl?.split('\n')).toEqual(expect.arrayContaining([first, second]))
      expect(pkiCrl).not.toContain(fingerprintOf(await nodeRow(app, id)))
    })

    test('revokes nothing when the name is the one that it has', async () => {
      const { id, token } = await newNode(app, world)
      await certify(app, token)
      const node = await nodeRow(app, id)
      await rename(id, node.name)
      expect((await clusterRow()).pkiCrl ?? '').not.toContain(fingerprintOf(node))
    })

    test('is possible before the machine has sent its key', async () => {
      const { id } = await newNode(app, world)
      const name = randomUUID()
      await rename(id, name)
      expect(await nodeRow(app, id)).toMatchObject({ name, certificate: null })
    })

    test('frees the name for another node', async () => {
      const { id } = await newNode(app, world)
      const { name } = await nodeRow(app, id)
      await rename(id, randomUUID())
      await createNode(app, world.admin, { clusterId: world.clusterId, name })
    })

    test('that is taken is refused, with nothing changed; another cluster may have it', async () => {
      const { id, token } = await newNode(app, world)
      await certify(app, token)
      const before = [await nodeRow(app, id), await clusterRow()]
      expect(await rename(id, 'own-admin-node')).toMatchObject({
        __typename: 'ConflictError',
        message: 'The cluster has a node named "own-admin-node" already',
      })
      expect([await nodeRow(app, id), await clusterRow()]).toEqual(before)
      expect(await rename(id, 'other-admin-node')).toMatchObject({ __typename: 'RenameNodePayload' })
    })

    test.each([
      ['nothing but spaces', '  ', 'must not be empty'],
      ['two lines', 'a\nb', 'must not contain control characters'],
      ['more than certificates take', 'ä'.repeat(127), 'must have at most 253 bytes of UTF-8'],
    ])('%s is refused', async (_what, name, message) => {
      const issues = [{ path: ['input', 'name'], message }]
      expect(await rename(world.nodeId, name)).toMatchObject({ __typename: 'ValidationError', issues })
    })

    test('warns of rules for the former name, in a dry run too', async () => {
      const { id } = await newNode(app, world)
      const { name } = await nodeRow(app, id)
      await hostRule(name)
      const unknown = [{ code: 'UNKNOWN_HOST', path: ['input', 'name'] }]
      expect(await rename(id, randomUUID(), world.admin, { dryRun: true })).toMatchObject({ warnings: unknown })
      expect((await nodeRow(app, id)).name).toBe(name)
      expect(await rename(id, name)).toMatchObject({ warnings: [] })
      expect(await rename(id, randomUUID())).toMatchObject({ warnings: unknown })
      expect(await rename(id, 'any')).toMatchObject({ warnings: [{ code: 'MEANS_EVERYBODY' }] })
    })

    test('is for admins, admin nodes of its cluster, and not for the node itself', async () => {
      for (const token of [app.operator, world.admin, world.adminNodeToken]) {
        expect(await rename(world.nodeId, randomUUID(), token)).toMatchObject({ __typename: 'RenameNodePayload' })
      }
      for (const token of [world.nodeToken, world.viewer]) {
        expect(await refusedWith(app, token, 'renameNode', { nodeId: world.nodeId, name: 'mine' })).toBe('FORBIDDEN')
      }
      for (const token of [other.admin, other.adminNodeToken]) {
        expect(await rename(world.nodeId, 'theirs', token)).toMatchObject({ __typename: 'NotFoundError' })
      }
    })
  })

  describe.each([
    ['renameCluster', 'cluster', () => ({ clusterId: world.clusterId }), () => ({ clusterId: randomUUID() })],
    ['renameTenant', 'tenant', () => ({ tenantId: world.tenantId }), () => ({ tenantId: randomUUID() })],
  ] as const)('with %s', (mutation, field, own, missing) => {
    const editor = () => (mutation === 'renameTenant' ? app.operator : world.admin)
    const call = (input: object, token = editor()) => mutate(app, token, mutation, input, `${field} { name }`)

    test('changes the name, raises no version and publishes nothing', async () => {
      const { configVersion, pendingChanges, pkiCaCert } = await clusterRow()
      const name = `renamed ${randomUUID()}`
      expect(await call({ ...own(), name: ` ${name} ` })).toMatchObject({ [field]: { name } })
      expect(await clusterRow()).toMatchObject({ configVersion, pendingChanges, pkiCaCert })
    })

    test('refuses a name that is taken, an empty one, and finds nothing that is not the caller’s', async () => {
      const taken = `taken ${randomUUID()}`
      const places = mutation === 'renameTenant' ? {} : { tenantId: world.tenantId }
      await mutate(app, app.operator, mutation.replace('rename', 'create'), { name: taken, ...places })
      expect(await call({ ...own(), name: taken })).toMatchObject({
        __typename: 'ConflictError',
        message: expect.stringContaining(taken) as unknown,
      })
      expect(await call({ ...own(), name: ' ' })).toMatchObject({
        __typename: 'ValidationError',
        issues: [{ path: ['input', 'name'], message: 'must not be empty' }],
      })
      expect(await call({ ...missing(), name: 'x' })).toMatchObject({ __typename: 'NotFoundError' })
      if (mutation === 'renameCluster') {
        expect(await call({ ...own(), name: 'x' }, other.admin)).toMatchObject({ __typename: 'NotFoundError' })
      }
    })
  })
})
