import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../../src/pki/keys.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { createWorld, newNode, nodeRow, type World } from '../../support/world.ts'

describe.each(engines)('certificates that a newer one replaced, on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'superseded', randomUUID())
  })
  afterAll(() => app.close())

  const renew = async (token: string, publicKey: string) => {
    const input = { publicKey }
    const { certificate } = await mutate<{ certificate: string }>(
      app,
      token,
      'renewNodeCertificate',
      input,
      'certificate',
    )
    return parseNodeCertificate(certificate).fingerprint
  }
  const newKey = () => formatPublicKey(generateNodeKeyPair().publicKey)
  const crl = async () => {
    const { pkiCrl } = await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
    return (pkiCrl ?? '').split('\n')
  }

  test('are revoked with it, since whoever kept one could go on with it', async () => {
    const { id, token } = await newNode(app, world)
    const publicKey = newKey()
    const first = await renew(token, publicKey)
    await mutate(app, world.admin, 'updateNodeRoutes', { nodeId: id, routes: ['192.168.60.0/24'] })
    const third = await renew(token, publicKey)
    const { certificate } = await nodeRow(app, id)
    expect(parseNodeCertificate(certificate ?? '').fingerprint).toBe(third)
    expect(await crl()).not.toContain(first)
    await mutate(app, world.admin, 'deleteNode', { nodeId: id })
    expect(await crl()).toEqual(expect.arrayContaining([first, third]))
  })

  test('are forgotten once they have expired', async () => {
    const { id, token } = await newNode(app, world)
    const publicKey = newKey()
    await renew(token, publicKey)
    const expired = 'e'.repeat(64)
    const where = { id }
    await app.database.client.node.update({
      where,
      data: { supersededCertificates: { [expired]: '2020-01-01T00:00:00.000Z' } },
    })
    await renew(token, publicKey)
    const node = await app.database.client.node.findUniqueOrThrow({ where })
    expect(Object.keys(node.supersededCertificates as object)).not.toContain(expired)
    expect(Object.keys(node.supersededCertificates as object)).toHaveLength(1)
  })

  test('are not more than a list of revoked ones can bear: a node that asks too often is refused', async () => {
    const { id, token } = await newNode(app, world)
    const publicKey = newKey()
    await renew(token, publicKey)
    const many = Object.fromEntries(
      Array.from({ length: 255 }, (_, index) => [`${index}`.padStart(64, '0'), '2099-01-01T00:00:00.000Z']),
    )
    await app.database.client.node.update({ where: { id }, data: { supersededCertificates: many } })
    const query = `mutation ($input: RenewNodeCertificateInput!) { renewNodeCertificate(input: $input) {
      __typename ... on Error { message } } }`
    expect(await app.ask(token, query, { input: { publicKey } })).toEqual({
      renewNodeCertificate: { __typename: 'ConflictError', message: expect.stringContaining('256 certificates') },
    })
  })
})
