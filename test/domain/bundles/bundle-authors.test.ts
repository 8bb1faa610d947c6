import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { send } from '../../support/multipart.ts'
import { mutate } from '../../support/mutate.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createWorld, type World } from '../../support/world.ts'

const open =
  'firewall: { inbound: [{ port: any, proto: any, host: any }], outbound: [{ port: any, proto: any, host: any }] }'
const closed =
  'firewall: { inbound: [{ port: 22, proto: tcp, host: any }], outbound: [{ port: any, proto: any, host: any }] }'

interface Uploaded {
  readonly __typename: string
  readonly message?: string
  readonly configBundle?: { readonly version: number }
}

describe('files are no way round a mutation that one may not call', () => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp('sqlite')
    world = await createWorld(app, 'authors', randomUUID())
    await app.database.client.configBundle.deleteMany({})
  })
  afterAll(() => app.close())

  const upload = async (token: string, config: string) => {
    const archive = await packBundle([{ path: 'config.yml', content: `${config}\n` }])
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) { __typename
      ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const { text } = await send(
      app,
      token,
      query,
      { input: { clusterId: world.clusterId, archive: fileMark } },
      archive,
    )
    const { data } = JSON.parse(text) as { data: { createConfigBundle: Uploaded } }
    return data.createConfigBundle
  }
  const firewall = async () =>
    (await app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })).firewall

  test('an admin node may upload what leaves the firewall as it is, with the section or without it', async () => {
    expect(await upload(world.adminNodeToken, 'punchy: { punch: true }')).toMatchObject({
      __typename: 'CreateConfigBundlePayload',
    })
    expect(await upload(world.adminNodeToken, open)).toMatchObject({ __typename: 'CreateConfigBundlePayload' })
  })

  test('an admin node may not change the firewall by an upload, and its tenant’s admin may', async () => {
    const before = await firewall()
    expect(await upload(world.adminNodeToken, closed)).toMatchObject({
      __typename: 'ValidationError',
      message: expect.stringContaining('firewall: differs from the cluster’s, which you may not change') as unknown,
    })
    expect(await firewall()).toEqual(before)
    expect(await upload(world.admin, closed)).toMatchObject({ __typename: 'CreateConfigBundlePayload' })
    expect(await firewall()).not.toEqual(before)
  })

  test('an admin node may not bring an older firewall back by a rollback', async () => {
    const { configBundle } = await upload(world.admin, open)
    await upload(world.admin, closed)
    const before = await firewall()
    const rollBack = (token: string) =>
      mutate<{ __typename: string }>(
        app,
        token,
        'rollbackClusterConfig',
        { clusterId: world.clusterId, version: configBundle?.version },
        '__typename',
      )
    expect((await rollBack(world.adminNodeToken)).__typename).toBe('ValidationError')
    expect(await firewall()).toEqual(before)
    expect((await rollBack(world.admin)).__typename).toBe('RollbackClusterConfigPayload')
    expect(await firewall()).not.toEqual(before)
  })
})
