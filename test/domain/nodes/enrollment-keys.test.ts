import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { EphemeralNodes } from '../../../src/domain/nodes/ephemeral-nodes.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { createWorld, nodeRow, type World } from '../../support/world.ts'

interface Key {
  readonly id: string
  readonly name: string
  readonly lastFour: string
  readonly usesAllowed: number | null
  readonly useCount: number
  readonly lastUsedAt: string | null
  readonly createdBy: string
  readonly expiresAt: string
}

const keyFields =
  'id name lastFour groups labels { key value } ephemeralSeconds usesAllowed useCount lastUsedAt createdBy expiresAt'
const minute = 60_000

describe.each(engines)('enrollment keys on %s', (engine) => {
  let app: TestApp
  let world: World
  let now = Date.now()
  beforeAll(async () => {
    app = await startApp(engine, { now: () => now })
    world = await createWorld(app, 'world', randomUUID())
  })
  afterAll(() => app.close())

  const makeKey = (input: object = {}, caller = world.admin) =>
    mutate<{ enrollmentKey: Key; token: string }>(
      app,
      caller,
      'createEnrollmentKey',
      { clusterId: world.clusterId, name: 'fleet', ...input },
      `enrollmentKey { ${keyFields} } token`,
    )
  const machine = (input: object = {}) => {
    const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
    return { input: { name: randomUUID(), publicKey, ...input } }
  }
  const enrollment = `mutation ($input: EnrollNodeInput!) { enrollNode(input: $input) { __typename
    ... on EnrollNodePayload { node { id name groups labels { key value } ephemeralSeconds } certificate token }
    ... on Error { message } } }`
  const enroll = (token: string, input: object = {}) => app.answer(token, enrollment, machine(input))
  const enrolled = async (token: string, input: object = {}) => {
    const { enrollNode } = await app.ask<{
      enrollNode: { node: { id: string; name: string }; certificate: string; token: string }
    }>(token, enrollment, machine(input))
    if (!('node' in enrollNode)) throw new Error(`the machine was refused: ${JSON.stringify(enrollNode)}`)
    return enrollNode
  }
  const keys = async (caller: string) => {
    const query = `query ($id: UUID!) { cluster(id: $id) { enrollmentKeys { ${keyFields} } } }`
    const asked = await app.ask<{ cluster: { enrollmentKeys: Key[] | null } }>(caller, query, { id: world.clusterId })
    return asked.cluster.enrollmentKeys
  }
  const shownKey = async (id: string) => (await keys(world.admin))?.find((key) => key.id === id)
  const nobody = { status: 401, errors: [expect.objectContaining({ extensions: { code: 'UNAUTHENTICATED' } })] }

  test('a machine becomes what its key says, and the key shows that it was used', async () => {
    const terms = { groups: ['web'], labels: [{ key: 'site', value: 'Basel' }], ephemeralSeconds: 3600 }
    const { enrollmentKey, token } = await makeKey({ ...terms, uses: 2 })
    expect(token).toMatch(/^ore_[\w-]{43}$/)
    expect(enrollmentKey).toMatchObject({
      ...terms,
      ...{ name: 'fleet', usesAllowed: 2, useCount: 0, lastUsedAt: null, createdBy: 'admin tina' },
      lastFour: token.slice(-4),
    })
    const made = await enrolled(token)
    expect(made.node).toMatchObject(terms)
    expect(parseNodeCertificate(made.certificate).groups).toEqual(['web'])
    expect(await shownKey(enrollmentKey.id)).toMatchObject({ useCount: 1, lastUsedAt: expect.any(String) })
  })

  test('a machine gets no other groups than its key’s and those that the cluster lets machines ask for', async () => {
    const { token } = await makeKey({ groups: ['web'], uses: 5 })
    expect((await enroll(token, { groups: ['admins'] })).data).toMatchObject({
      enrollNode: { __typename: 'ValidationError' },
    })
    await mutate(app, world.admin, 'updateClusterEnrollment', { clusterId: world.clusterId, enrollGroups: ['db'] })
    expect((await enrolled(token, { groups: ['db', 'web'] })).node).toMatchObject({ groups: ['web', 'db'] })
  })

  test('a refused machine spends no use', async () => {
    const { enrollmentKey, token } = await makeKey()
    expect((await enroll(token, { name: 'world-node' })).data).toMatchObject({
      enrollNode: { __typename: 'ConflictError' },
    })
    expect(await shownKey(enrollmentKey.id)).toMatchObject({ useCount: 0 })
    await enrolled(token)
  })

  test('of machines that want the last use at once, one gets it', async () => {
    const { enrollmentKey, token } = await makeKey({ uses: 3 })
    const outcomes = await Promise.all(Array.from({ length: 12 }, () => enroll(token)))
    const types = outcomes.map(({ data }) => (data?.['enrollNode'] as { __typename: string } | undefined)?.__typename)
    expect(types.filter((type) => type === 'EnrollNodePayload')).toHaveLength(3)
    expect(await shownKey(enrollmentKey.id)).toMatchObject({ useCount: 3, usesAllowed: 3 })
    expect(await enroll(token)).toMatchObject(nobody)
  })

  test('a key without a limit goes on', async () => {
    const { enrollmentKey, token } = await makeKey({ isUnlimited: true })
    await enrolled(token)
    await enrolled(token)
    expect(await shownKey(enrollmentKey.id)).toMatchObject({ useCount: 2, usesAllowed: null })
  })

  test('a revoked key is nobody’s from the next request on, and its nodes stay', async () => {
    const { enrollmentKey, token } = await makeKey({ uses: 5 })
    const made = await enrolled(token)
    const revoked = await mutate(
      app,
      world.admin,
      'revokeEnrollmentKey',
      { id: enrollmentKey.id },
      'enrollmentKey { id }',
    )
    expect(revoked).toMatchObject({ enrollmentKey: { id: enrollmentKey.id } })
    expect(await enroll(token)).toMatchObject(nobody)
    expect(await shownKey(enrollmentKey.id)).toBeUndefined()
    await app.ask(made.token, '{ viewer { ... on Node { id } } }')
  })

  test('an expired key is nobody’s', async () => {
    const { token } = await makeKey({ lifetimeSeconds: 60 })
    now = Date.now() + minute
    expect(await enroll(token)).toMatchObject(nobody)
    now = Date.now()
  })

  test('the keys of a cluster are its managers’ to make and to revoke', async () => {
    const other = await createWorld(app, 'other', randomUUID())
    const { enrollmentKey, token } = await makeKey({}, world.adminNodeToken)
    expect(enrollmentKey.createdBy).toBe('node world-admin-node')
    const id = enrollmentKey.id
    for (const stranger of [other.admin, other.adminNodeToken]) {
      expect(await makeKey({}, stranger)).toMatchObject({ __typename: 'NotFoundError' })
      expect(await mutate(app, stranger, 'revokeEnrollmentKey', { id })).toMatchObject({ __typename: 'NotFoundError' })
    }
    const making = `mutation ($input: CreateEnrollmentKeyInput!) { createEnrollmentKey(input: $input) { __typename } }`
    for (const caller of [world.viewer, world.nodeToken, world.clusterToken, token]) {
      const { errors } = await app.answer(caller, making, { input: { clusterId: world.clusterId, name: 'x' } })
      expect(errors?.[0]?.extensions?.code).toBe('FORBIDDEN')
    }
    expect((await keys(world.viewer))?.map((key) => key.id)).toContain(id)
    expect((await keys(world.adminNodeToken))?.map((key) => key.id)).toContain(id)
    expect(await keys(world.nodeToken)).toBeNull()
  })

  test.each([
    [{ uses: 0 }, 'uses'],
    [{ uses: 100_001 }, 'uses'],
    [{ uses: 2, isUnlimited: true }, 'isUnlimited'],
    [{ lifetimeSeconds: 59 }, 'lifetimeSeconds'],
    [{ lifetimeSeconds: 31_622_401 }, 'lifetimeSeconds'],
    [{ ephemeralSeconds: 59 }, 'ephemeralSeconds'],
    [{ ephemeralSeconds: 2_592_001 }, 'ephemeralSeconds'],
    [{ name: ' ' }, 'name'],
    [{ groups: ['a,b'] }, 'groups'],
    [{ labels: [{ key: 'A', value: '' }] }, 'labels'],
  ])('%j is refused', async (input, field) => {
    const { issues } = await makeKey(input)
    expect(issues?.[0]?.path.slice(0, 2)).toEqual(['input', field])
  })

  describe('ephemeral nodes', () => {
    const sweepAt = async (ephemeral: EphemeralNodes) => {
      const pieces = ephemeral.removeUnseen()
      while ((await pieces.next()).done !== true);
    }
    const start = Date.now()
    let at = start
    const sweeper = () => new EphemeralNodes({ operator: app.operatorScope, log: app.app.log, now: () => at })
    const version = async () =>
      (await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })).configVersion
    const cluster = 'query ($id: UUID!) { cluster(id: $id) { revokedFingerprints } }'

    test('are removed with their certificates when unseen for their time, others of the cluster are not', async () => {
      const { token } = await makeKey({ ephemeralSeconds: 600, uses: 3 })
      const [first, second, seen] = [await enrolled(token), await enrolled(token), await enrolled(token)]
      const staying = await enrolled(world.clusterToken)
      const sweeps = sweeper()
      const before = await version()

      at = start + 11 * minute
      await sweepAt(sweeps)
      expect(await version()).toBe(before)

      at = start + 14 * minute
      const lastSeenAt = new Date(at - 11 * minute)
      await app.database.client.node.update({ where: { id: seen.node.id }, data: { lastSeenAt } })
      await sweepAt(sweeps)
      expect(await version()).toBe(before + 1)
      for (const { node, token: own, certificate } of [first, second]) {
        expect(await app.database.client.node.findUnique({ where: { id: node.id } })).toBeNull()
        expect(await app.answer(own, '{ viewer { __typename } }')).toMatchObject(nobody)
        const { cluster: shown } = await app.ask<{ cluster: { revokedFingerprints: string[] } }>(world.admin, cluster, {
          id: world.clusterId,
        })
        expect(shown.revokedFingerprints).toContain(parseNodeCertificate(certificate).fingerprint)
      }
      for (const { node } of [seen, staying]) await nodeRow(app, node.id)
    })

    test('that come back while they are looked at stay, and cause no version', async () => {
      const { token } = await makeKey({ ephemeralSeconds: 60 })
      const { node } = await enrolled(token)
      const before = await version()
      // The third look is the one under the cluster's lock.
      const times = [start, Date.now() + 60 * minute, start]
      const removing = { action: 'node.ephemeral.remove' }
      const events = await app.database.client.auditEvent.count({ where: removing })
      await sweepAt(
        new EphemeralNodes({ operator: app.operatorScope, log: app.app.log, now: () => times.shift() ?? start }),
      )
      expect(times).toEqual([])
      await nodeRow(app, node.id)
      expect(await version()).toBe(before)
      expect(await app.database.client.auditEvent.count({ where: removing })).toBe(events)
    })

    test('have time to come back when the server was down', async () => {
      const { token } = await makeKey({ ephemeralSeconds: 60 })
      const { node } = await enrolled(token)
      at = Date.now() + 60 * minute
      const afterOutage = sweeper()
      at += 2 * minute
      await sweepAt(afterOutage)
      await nodeRow(app, node.id)
      at += 2 * minute
      await sweepAt(afterOutage)
      expect(await app.database.client.node.findUnique({ where: { id: node.id } })).toBeNull()
    })
  })
})
