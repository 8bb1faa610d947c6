import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { openDatabase } from '../../../src/db/client/client.ts'
import { packBundle } from '../../../src/domain/bundles/compile/pack.ts'
import { readBundle } from '../../../src/domain/bundles/read/read.ts'
import { startPublisher, type Publisher } from '../../../src/domain/publishing/publisher.ts'
import { parseNodeCertificate } from '../../support/node-certificate.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { certify, fetchSlice } from '../../support/certified.ts'
import { engines } from '../../support/database.ts'
import { drained } from '../../support/drained.ts'
import { eventually } from '../../support/eventually.ts'
import { send } from '../../support/multipart.ts'
import { mutate } from '../../support/mutate.ts'
import { fileMark } from '../../support/schema-walk.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const publishAgain = `mutation ($input: PublishClusterConfigInput!) { publishClusterConfig(input: $input) {
  __typename ... on PublishClusterConfigPayload { cluster { configVersion } } } }`

describe.each(engines)('publishing on %s', (engine) => {
  let app: TestApp
  let world: World
  const publishers: Publisher[] = []

  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'publishing', randomUUID())
    await app.database.client.configBundle.deleteMany({})
  })
  afterAll(async () => {
    await Promise.all(publishers.map((publisher) => publisher.stop()))
    await app.close()
  })

  const start = (database = app.database) => {
    const publisher = startPublisher({ operator: systemOperator(database), vault: app.vault, log: app.app.log })
    publishers.push(publisher)
    return publisher
  }
  const cluster = () => app.database.client.cluster.findUniqueOrThrow({ where: { id: world.clusterId } })
  const versions = async () => {
    const where = { clusterId: world.clusterId }
    const bundles = await app.database.client.configBundle.findMany({ where, select: { version: true, message: true } })
    return bundles.sort((a, b) => a.version - b.version)
  }
  const change = () => app.ask(world.admin, publishAgain, { input: { clusterId: world.clusterId } })
  const published = async () => {
    const isPublished = (seen: Awaited<ReturnType<typeof cluster>>) =>
      seen.configVersion === seen.publishedConfigVersion
    return (await eventually('what is wanted is published', cluster, isPublished)).configVersion
  }
  const upload = async (config: string) => {
    const query = `mutation ($input: CreateConfigBundleInput!) { createConfigBundle(input: $input) {
      __typename ... on CreateConfigBundlePayload { configBundle { version } } ... on Error { message } } }`
    const archive = await packBundle([
      { path: 'config.yml', content: config },
      { path: 'motd.txt', content: 'hello' },
    ])
    const { text } = await send(
      app,
      world.admin,
      query,
      { input: { clusterId: world.clusterId, archive: fileMark } },
      archive,
    )
    const { data } = JSON.parse(text) as { data: { createConfigBundle: { configBundle: { version: number } } } }
    return data.createConfigBundle.configBundle.version
  }
  const contentOf = async (version: number, wanted: string) => {
    const bundle = await app.database.client.configBundle.findFirstOrThrow({
      where: { clusterId: world.clusterId, version },
    })
    for await (const { path, content } of readBundle(bundle.data)) if (path === wanted) return content.toString()
    return null
  }

  test('what a crash left unpublished is made good at the start, with what changed and who changed it', async () => {
    expect(await versions()).toEqual([])
    const publisher = start()
    const version = await published()
    await publisher.stop()
    expect(await versions()).toEqual([{ version, message: expect.any(String) }])
    const [bundle] = await versions()
    expect(bundle?.message).toContain('publishing-node: created (admin tina)')
    expect((await cluster()).pendingChanges).toBeNull()
  })

  test('a burst of 64 changes becomes a few versions, the last of them among these', async () => {
    const before = (await versions()).length
    const publisher = start()
    await Promise.all(Array.from({ length: 64 }, change))
    const newest = await published()
    await publisher.stop()
    const made = (await versions()).slice(before)
    expect(made.at(-1)?.version).toBe(newest)
    expect(made.length).toBeLessThan(32)
    // Each of the 64 is told of in one of them.
    const told = made.flatMap(({ message }) => (message ?? '').split('\n'))
    expect(told.filter((line) => line === 'published anew (admin tina)')).toHaveLength(64)
  })

  test('two instances publish each version once, even if both sweep', async () => {
    const other = await openDatabase(app.url)
    const both = [start(), start(other)]
    let isOver = false
    const sweeping = both.map(async (publisher) => {
      while (!isOver) {
        await drained(publisher.sweep())
        await sleep(1)
      }
    })
    for (let turn = 0; turn < 5; turn += 1) {
      await Promise.all([change(), change()])
      await published()
    }
    isOver = true
    await Promise.all(sweeping)
    await Promise.all(both.map((publisher) => publisher.stop()))
    await other.close()
    const all = (await versions()).map(({ version }) => version)
    expect(new Set(all).size).toBe(all.length)
    const failures = app.takeLog().filter(({ level }) => level >= 50)
    expect(failures).toEqual([])
  })

  test('a key that does not open stops its own cluster only, is said once, and is not tried until it opens', async () => {
    const broken = await createWorld(app, 'broken', randomUUID())
    const where = { id: broken.clusterId }
    const clusters = app.database.client.cluster
    const { bundleSigningKey } = await clusters.findUniqueOrThrow({ where })
    await clusters.update({ where, data: { bundleSigningKey: 'v1.AAAA' } })
    app.takeLog()
    const publisher = start()
    await change()
    await published()
    for (let turn = 0; turn < 5; turn += 1) await drained(publisher.sweep())
    const errors = app.takeLog().filter(({ level }) => level >= 50)
    expect(errors).toEqual([expect.objectContaining({ clusters: [broken.clusterId], count: 1 })])
    expect(await clusters.findUniqueOrThrow({ where })).toMatchObject({ publishedConfigVersion: 0 })
    const { configVersion } = await clusters.update({ where, data: { bundleSigningKey } })
    // Found twice, it is no other instance's work.
    await drained(publisher.sweep())
    expect(await clusters.findUniqueOrThrow({ where })).toMatchObject({ publishedConfigVersion: 0 })
    await drained(publisher.sweep())
    expect(await clusters.findUniqueOrThrow({ where })).toMatchObject({ publishedConfigVersion: configVersion })
    await publisher.stop()
    await clusters.delete({ where })
  })

  test('a node is served its own slice, and nobody else’s', async () => {
    const first = await certify(app, world.nodeToken)
    const second = await certify(app, world.adminNodeToken)
    const bare = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'bare' })
    await app.publish()
    const slices = [await fetchSlice(app, world.nodeToken, first), await fetchSlice(app, world.adminNodeToken, second)]
    expect(slices.map(({ certificate }) => certificate)).toEqual([first.certificate, second.certificate])
    await expect(fetchSlice(app, world.nodeToken, second)).rejects.toThrow(/node/)
    const without = await app.fetch('/bundle', { headers: { authorization: `Bearer ${bare.token}` } })
    expect([without.status, await without.text()]).toEqual([404, expect.stringContaining('needs a certificate')])
  })

  test('an upload stays in force through later changes, until it is rolled back', async () => {
    const old = await upload('logging:\n  level: debug\n')
    const bad = await upload(
      'logging:\n  level: trace\nfirewall:\n  inbound:\n    - {port: 22, proto: tcp, host: any}\n',
    )
    expect((await cluster()).firewall).toMatchObject({ inbound: [{ port: '22', proto: 'tcp', host: 'any' }] })
    await change()
    await app.publish()
    const { configVersion } = await cluster()
    expect(await contentOf(configVersion, 'config.yml')).toMatch(/trace/)
    expect(await contentOf(configVersion, 'motd.txt')).toBe('hello')

    const rollback = `mutation ($input: RollbackClusterConfigInput!) { rollbackClusterConfig(input: $input) {
      __typename ... on RollbackClusterConfigPayload { cluster { configVersion } } } }`
    const rolled = await app.ask(world.admin, rollback, { input: { clusterId: world.clusterId, version: old } })
    expect(rolled).toEqual({
      rollbackClusterConfig: {
        __typename: 'RollbackClusterConfigPayload',
        cluster: { configVersion: configVersion + 1 },
      },
    })
    await app.publish()
    expect(await contentOf(configVersion + 1, 'config.yml')).toMatch(/debug/)
    expect((await cluster()).firewall).toMatchObject({ inbound: [{ port: 'any', proto: 'any', host: 'any' }] })
    expect((await versions()).at(-1)?.message).toContain(`rolled back to version ${old} (admin tina)`)

    const remove = (version: number) =>
      app.ask(
        world.admin,
        'mutation ($input: DeleteConfigBundleInput!) { deleteConfigBundle(input: $input) { __typename } }',
        { input: { clusterId: world.clusterId, version } },
      )
    expect(await remove(bad)).toEqual({ deleteConfigBundle: { __typename: 'DeleteConfigBundlePayload' } })
    expect(await remove(configVersion + 1)).toEqual({ deleteConfigBundle: { __typename: 'ConflictError' } })
    const gone = await app.ask(world.admin, rollback, { input: { clusterId: world.clusterId, version: bad } })
    expect(gone).toEqual({ rollbackClusterConfig: { __typename: 'NotFoundError' } })
  })

  test('a node that was deleted after a version stays shut out when the cluster is rolled back to it', async () => {
    const { clusterId } = world
    const doomed = await createNode(app, world.admin, { clusterId, name: 'doomed' })
    const { fingerprint } = parseNodeCertificate((await certify(app, doomed.token)).certificate)
    const before = await upload('logging:\n  level: debug\n')
    expect(await contentOf(before, 'config.yml')).not.toContain(fingerprint)
    await mutate(app, world.admin, 'deleteNode', { nodeId: doomed.id })
    await mutate(app, world.admin, 'rollbackClusterConfig', { clusterId, version: before })
    await app.publish()
    const { configVersion } = await cluster()
    expect(configVersion).toBeGreaterThan(before)
    expect(await contentOf(configVersion, 'config.yml')).toContain(fingerprint)
  })

  test('an upload that races with changes gets a version of its own, with them in it', async () => {
    const publisher = start()
    const racing = Array.from({ length: 10 }, (_, index) =>
      createNode(app, world.admin, { clusterId: world.clusterId, name: `racer-${index}` }),
    )
    const version = await upload('logging:\n  level: info\n')
    await Promise.all(racing)
    await published()
    await publisher.stop()
    expect((await versions()).map((bundle) => bundle.version)).toContain(version)
    expect((await cluster()).sharedConfigVersion).toBe(await published())
  })
})
