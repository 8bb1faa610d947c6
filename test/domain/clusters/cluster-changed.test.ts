import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { mintJwt } from '../../../src/auth/jwt.ts'
import { listen, type Listening } from '../../../src/http/server/server.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { engines } from '../../support/database.ts'
import { mutate } from '../../support/mutate.ts'
import { openStream } from '../../support/streams.ts'
import { createNode, createWorld, type World } from '../../support/world.ts'

const query = `subscription ($id: UUID!) {
  clusterChanged(clusterId: $id) {
    __typename
    ... on ClusterResync { publishedVersion }
    ... on NodeAdded { node { id name mtu } }
    ... on NodeChanged { node { id name mtu } }
    ... on NodeRemoved { nodeId name }
    ... on NodesSeen { nodeIds }
    ... on VersionPublished { version }
    ... on VersionApplied { version nodeIds }
    ... on ReplicaUp { replicaId address }
    ... on ReplicaDown { replicaId }
  }
}`
const resync = (publishedVersion: number | null) => ({ __typename: 'ClusterResync', publishedVersion })

describe.each(engines)('clusterChanged on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  let server: Listening
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'watched', randomUUID())
    other = await createWorld(app, 'other', randomUUID())
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const watch = (token: string | null, id = world.clusterId) =>
    openStream<object>(server.url, token, { query, variables: { id } })

  /** A stream that has begun. */
  async function watching(token: string, id = world.clusterId) {
    const stream = await watch(token, id)
    expect(await stream.next()).toMatchObject({ __typename: 'ClusterResync' })
    return stream
  }

  test('a stream begins with the published version and tells what happens to nodes, each with its row', async () => {
    await app.publish()
    const stream = await watch(world.viewer)
    const { cluster } = await app.ask<{ cluster: { latestBundleVersion: number } }>(
      world.admin,
      '{ clusters(first: 1) { nodes { id } } cluster(id: "' + world.clusterId + '") { latestBundleVersion } }',
    )
    expect(await stream.next()).toEqual(resync(cluster.latestBundleVersion))
    const { id, token } = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'seen-live' })
    expect(await stream.next()).toEqual({ __typename: 'NodeAdded', node: { id, name: 'seen-live', mtu: 1300 } })
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: id, mtu: 1400 })
    expect(await stream.next()).toEqual({ __typename: 'NodeChanged', node: { id, name: 'seen-live', mtu: 1400 } })
    await mutate(app, token, 'reportNodeStatus', { runningConfigVersion: 2 })
    await app.flush()
    expect(await stream.next()).toEqual({ __typename: 'VersionApplied', version: 2, nodeIds: [id] })
    expect(await stream.next()).toEqual({ __typename: 'NodesSeen', nodeIds: [id] })
    await mutate(app, world.admin, 'deleteNode', { nodeId: id })
    expect(await stream.next()).toEqual({ __typename: 'NodeRemoved', nodeId: id, name: 'seen-live' })
    app.database.changes.emit({ kind: 'published', clusterId: world.clusterId, version: 2000 })
    expect(await stream.next()).toEqual({ __typename: 'VersionPublished', version: 2000 })
    await stream.close()
  })

  test('one event is one statement for the rows, however many streams hear of it', async () => {
    const streams = await Promise.all(Array.from({ length: 12 }, () => watching(world.admin)))
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1410 })
    app.takeStatements()
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1420 })
    for (const stream of streams) {
      let told: unknown
      do told = await stream.next()
      while (!JSON.stringify(told).includes('1420'))
    }
    const rows = app.takeStatements().filter((sql) => /FROM .*nodes.* WHERE/is.test(sql) && / IN \(| = ANY/i.test(sql))
    // One is the stream's; a node's row is read by its id alone in the mutation itself.
    expect(rows.length).toBeLessThanOrEqual(2)
    for (const stream of streams) await stream.close()
  })

  test('operators are told of the instances of the control plane, nobody else is', async () => {
    const [operator, admin] = [await watching(app.operator), await watching(world.admin)]
    const address = 'https://replica.example.com/'
    await mutate(app, app.operator, 'registerReplica', { address })
    const told = await operator.next()
    expect(told).toMatchObject({ __typename: 'ReplicaUp', address })
    await mutate(app, app.operator, 'deleteReplica', { id: (told as { replicaId: string }).replicaId })
    expect(await operator.next()).toMatchObject({ __typename: 'ReplicaDown' })
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1430 })
    expect(await admin.next()).toMatchObject({ __typename: 'NodeChanged' })
    await Promise.all([operator.close(), admin.close()])
  })

  test('a dry run tells nobody, and neither does what happens in another cluster', async () => {
    const stream = await watching(world.adminNodeToken)
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1440, dryRun: true })
    await mutate(app, world.admin, 'createNode', { clusterId: world.clusterId, name: 'only-tried', dryRun: true })
    await mutate(app, world.admin, 'deleteNode', { nodeId: world.nodeId, dryRun: true })
    await mutate(app, other.admin, 'updateNodeMtu', { nodeId: other.nodeId, mtu: 1440 })
    await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1450 })
    expect(await stream.next()).toMatchObject({ __typename: 'NodeChanged', node: { mtu: 1450 } })
    await stream.close()
  })

  test('a foreign cluster is one that does not exist', async () => {
    for (const token of [world.nodeToken, world.adminNodeToken, world.admin, world.viewer]) {
      for (const id of [other.clusterId, randomUUID()]) {
        expect(await (await watch(token, id)).next()).toEqual(['NOT_FOUND'])
      }
    }
  })

  test('an open stream ends at once when its token is rotated or its node deleted; others go on', async () => {
    const { clusterId } = other
    const [rotated, deleted] = [
      await createNode(app, other.admin, { clusterId, name: 'to-rotate' }),
      await createNode(app, other.admin, { clusterId, name: 'to-delete' }),
    ]
    const streams = [await watching(rotated.token, clusterId), await watching(deleted.token, clusterId)] as const
    const witness = await watching(other.nodeToken, clusterId)
    await mutate(app, other.admin, 'rotateNodeToken', { nodeId: rotated.id })
    expect(await streams[0].next()).toBe('complete')
    await mutate(app, other.admin, 'deleteNode', { nodeId: deleted.id })
    for (let told = await streams[1].next(); told !== 'complete'; told = await streams[1].next()) {
      // It may hear of the other's rotation, not of its own end.
      expect(told).toMatchObject({ node: { id: rotated.id } })
    }
    expect(await witness.next()).toMatchObject({ __typename: 'NodeChanged', node: { id: rotated.id } })
    expect(await witness.next()).toMatchObject({ __typename: 'NodeRemoved', nodeId: deleted.id })
    await witness.close()
  })

  test('every stream of a cluster ends at once when the cluster or its tenant is deleted', async () => {
    const gone = await createWorld(app, `gone-${engine}`, randomUUID())
    const streams = [await watching(gone.nodeToken, gone.clusterId), await watching(app.operator, gone.clusterId)]
    await mutate(app, gone.admin, 'deleteCluster', { clusterId: gone.clusterId })
    for (const stream of streams) expect(await stream.next()).toBe('complete')
    const left = await createWorld(app, `left-${engine}`, randomUUID())
    const more = [await watching(left.admin, left.clusterId), await watching(app.operator, left.clusterId)]
    await mutate(app, app.operator, 'deleteTenant', { id: left.tenantId })
    for (const stream of more) expect(await stream.next()).toBe('complete')
  })

  test('a stream ends when the JWT expires that it was opened with', async () => {
    const claims = { role: 'admin', tenantId: world.tenantId } as const
    const token = await mintJwt(app.keys.jwt, claims, { subject: 'brief', lifetime: 3 })
    const stream = await watching(token)
    expect(await stream.next()).toBe('complete')
    // Within the tolerance for clocks that differ, requests are answered still; a stream would have no life before it.
    expect(await (await watch(token)).next()).toEqual(['UNAUTHENTICATED'])
  })
})
