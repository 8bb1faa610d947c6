import { createHash, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify, fetchSlice, type Identity } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { send } from '../../support/multipart.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const create = /* GraphQL */ `
  mutation ($input: CreateConfigBundleInput!) {
    createConfigBundle(input: $input) {
      __typename
      ... on CreateConfigBundlePayload {
        configBundle {
          version
          size
          sha256
          message
          downloadPath
          createdBy {
            name
          }
          cluster {
            configVersion
          }
        }
      }
      ... on ValidationError {
        path
      }
      ... on Error {
        message
      }
    }
  }
`

describe.each(engines)('config bundles on %s', (engine) => {
  let app: TestApp
  let world: World
  let archive: Uint8Array<ArrayBuffer>
  let identity: Identity
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'bundles', randomUUID())
    // createWorld stores a bundle that is no archive, to be seen by others; here it would be the newest one.
    await app.database.client.configBundle.deleteMany({})
    identity = await certify(app, world.nodeToken)
    archive = await packBundle([{ path: 'config.yml', content: 'punchy:\n  punch: true\n' }])
  })
  afterAll(() => app.close())

  async function upload(token: string | null, input: object = {}, file: Uint8Array<ArrayBuffer> = archive) {
    const variables = { input: { clusterId: world.clusterId, archive: fileMark, ...input } }
    const { text, status } = await send(app, token, create, variables, file)
    return { status, text, result: (JSON.parse(text) as Answer).data?.createConfigBundle }
  }

  const download = (
    path: string,
    token: string | null,
    init: { method?: string; headers?: Record<string, string> } = {},
  ) =>
    app.fetch(path, {
      ...init,
      headers: { ...init.headers, ...(token === null ? {} : { authorization: `Bearer ${token}` }) },
    })

  test('an upload becomes the next version, with who made it', async () => {
    const { result } = await upload(world.adminNodeToken, { message: 'punch holes' })
    const version = result?.configBundle?.version ?? 0
    expect(result?.configBundle).toMatchObject({
      createdBy: { name: 'bundles-admin-node' },
      cluster: { configVersion: version },
      downloadPath: `/clusters/${world.clusterId}/bundles/${version}`,
    })
    // What waited to be published is in it too.
    expect(result?.configBundle?.message).toMatch(
      /^bundles-node: created .*\n.*punch holes \(node bundles-admin-node\)$/s,
    )
    const stored = new Uint8Array(
      await (await download(result?.configBundle?.downloadPath ?? '', world.admin)).arrayBuffer(),
    )
    expect(result?.configBundle).toMatchObject({
      size: stored.length,
      sha256: createHash('sha256').update(stored).digest('hex'),
    })
  })

  test('what is no bundle is refused with the file and the reason, and changes nothing', async () => {
    const before = await app.database.client.configBundle.count()
    const key = '-----BEGIN NEBULA X25519 PRIVATE KEY-----\nAAAA\n-----END NEBULA X25519 PRIVATE KEY-----\n'
    const withKey = await packBundle([
      { path: 'config.yml', content: 'punchy: {}\n' },
      { path: 'notes/host.txt', content: key },
    ])
    for (const [file, reason] of [
      [withKey, /notes\/host\.txt.*private key/],
      [await packBundle([{ path: 'config.yml', content: 'a: [1\n' }]), /config\.yml/],
      [new TextEncoder().encode('no archive'), /gzip/],
    ] as const) {
      const { result } = await upload(world.admin, {}, file)
      expect(result).toMatchObject({ __typename: 'ValidationError', path: ['input', 'archive'] })
      expect(result?.message).toMatch(reason)
    }
    expect(await app.database.client.configBundle.count()).toBe(before)
  })

  test('an upload to a cluster that does not exist is refused', async () => {
    const elsewhere = await upload(world.admin, { clusterId: randomUUID() })
    expect(elsewhere.result).toMatchObject({ __typename: 'NotFoundError' })
  })

  test('a node downloads its newest bundle once, and then is told that nothing is new', async () => {
    const { result } = await upload(world.admin)
    const etag = `"${result?.configBundle?.version}"`
    const first = await download('/bundle', world.nodeToken)
    expect(Object.fromEntries(first.headers)).toMatchObject({
      etag,
      'content-type': 'application/gzip',
      'content-length': String((await first.clone().arrayBuffer()).byteLength),
    })
    const { manifest, config } = await fetchSlice(app, world.nodeToken, identity)
    expect([`"${manifest.version}"`, config]).toEqual([etag, expect.stringContaining('punch')])
    for (const known of [etag, `W/${etag}`, `"1", ${etag}`, '*']) {
      const again = await download('/bundle', world.nodeToken, { headers: { 'if-none-match': known } })
      expect([known, again.status, await again.text(), again.headers.get('etag')]).toEqual([known, 304, '', etag])
    }
    const outdated = await download('/bundle', world.nodeToken, { headers: { 'if-none-match': '"1"' } })
    expect(outdated.status).toBe(200)
  })

  test('a poll without news reads no archive', async () => {
    const { result } = await upload(world.admin)
    app.takeStatements()
    await download('/bundle', world.nodeToken, { headers: { 'if-none-match': `"${result?.configBundle?.version}"` } })
    for (const sql of app.takeStatements()) expect(sql).not.toMatch(/\bdata\b/)
  })

  test('HEAD says what GET would, without the bytes', async () => {
    const head = await download('/bundle', world.nodeToken, { method: 'HEAD' })
    const get = await download('/bundle', world.nodeToken)
    expect(await head.text()).toBe('')
    for (const name of ['etag', 'content-type', 'content-length', 'content-disposition']) {
      expect([name, head.headers.get(name)]).toEqual([name, get.headers.get(name)])
    }
  })

  test('whole archives are for everybody who manages or watches the cluster, and for nobody else', async () => {
    const { result } = await upload(world.admin)
    const path = result?.configBundle?.downloadPath ?? ''
    for (const token of [app.operator, world.admin, world.viewer, world.adminNodeToken]) {
      expect((await download(path, token)).status).toBe(200)
    }
    expect((await download(path, world.nodeToken)).status).toBe(403)
    expect((await download(path, world.clusterToken)).status).toBe(403)
    expect((await download(path, null)).status).toBe(401)
    const stranger = await createWorld(app, 'strangers', randomUUID())
    const foreign = await download(path, stranger.admin)
    const missing = await download(`/clusters/${randomUUID()}/bundles/1`, stranger.admin)
    expect([foreign.status, await foreign.text()]).toEqual([missing.status, await missing.text()])
    expect(foreign.status).toBe(404)
    for (const rubbish of [
      '/clusters/x/bundles/1',
      `/clusters/${world.clusterId}/bundles/0`,
      `/clusters/${world.clusterId}/bundles/999999999999`,
    ]) {
      expect((await download(rubbish, world.admin)).status).toBe(404)
    }
  })

  test('a cluster without a bundle has none to give', async () => {
    const empty = await createWorld(app, 'empty', randomUUID())
    await app.database.client.configBundle.deleteMany({ where: { clusterId: empty.clusterId } })
    expect((await download('/bundle', empty.nodeToken)).status).toBe(404)
    expect((await download('/bundle', app.operator)).status).toBe(403)
  })

  test('the author’s name outlives the node, its id does not', async () => {
    const author = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'author', isAdmin: true })
    const { result } = await upload(author.token)
    await app.ask(world.admin, 'mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { __typename } }', {
      id: author.id,
    })
    const { configBundle } = await app.ask<{ configBundle: unknown }>(
      world.viewer,
      'query ($id: UUID!, $version: PositiveInt) { configBundle(clusterId: $id, version: $version) { message createdBy { id } } }',
      { id: world.clusterId, version: result?.configBundle?.version },
    )
    const message = expect.stringMatching(/uploaded \(node author\)$/) as unknown
    expect(configBundle).toEqual({ message, createdBy: null })
  })

  test('old versions go, the newest stay; keeping none is refused', async () => {
    for (let index = 0; index < 3; index++) await upload(world.admin)
    const prune = (keep: number) =>
      app.ask<{ deleteOldConfigBundles: Record<string, unknown> }>(
        world.admin,
        `mutation ($input: DeleteOldConfigBundlesInput!) { deleteOldConfigBundles(input: $input) {
          __typename ... on DeleteOldConfigBundlesPayload { deletedCount } ... on ValidationError { path } } }`,
        { input: { clusterId: world.clusterId, keep } },
      )
    const { client } = app.database
    const where = { clusterId: world.clusterId }
    const before = await client.configBundle.count({ where })
    expect((await prune(0)).deleteOldConfigBundles).toEqual({ __typename: 'ValidationError', path: ['input', 'keep'] })
    expect((await prune(2)).deleteOldConfigBundles).toMatchObject({ deletedCount: before - 2 })
    const { cluster } = await app.ask<{
      cluster: { latestBundleVersion: number; bundles: { nodes: { version: number }[] } }
    }>(world.viewer, 'query ($id: UUID!) { cluster(id: $id) { latestBundleVersion bundles { nodes { version } } } }', {
      id: world.clusterId,
    })
    expect(cluster.bundles.nodes.map(({ version }) => version)).toEqual([
      cluster.latestBundleVersion,
      cluster.latestBundleVersion - 1,
    ])
    expect((await prune(2)).deleteOldConfigBundles).toMatchObject({ deletedCount: 0 })
  })
})

interface Answer {
  readonly data?: {
    readonly createConfigBundle?: {
      readonly __typename: string
      readonly message?: string
      readonly configBundle?: { readonly version: number; readonly message: string; readonly downloadPath: string }
    }
  }
}
