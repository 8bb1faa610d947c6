import { randomUUID } from 'node:crypto'
import { gunzipSync } from 'node:zlib'

import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { getNamedType, isCompositeType, isInputObjectType, isObjectType } from 'graphql'

import { schema } from '../../src/graphql/schema.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { certify } from '../support/certified.ts'
import { engines } from '../support/database.ts'
import { mutate } from '../support/mutate.ts'
import { openStream } from '../support/streams.ts'
import { createWorld, type World } from '../support/world.ts'

/** What notes are about, and the argument with their ids. */
const things = { Tenant: 'tenantId', Cluster: 'clusterId', Node: 'nodeId' } as const
type Thing = keyof typeof things

/** Two values of each type that a note may have, as they are shown. */
const samples: Readonly<Record<string, readonly [unknown, unknown]>> = {
  String: ['in the basement', 'moved to the second floor'],
  LabelInput: [
    [
      { key: 'env/stage', value: 'production' },
      { key: 'site', value: 'Köln' },
    ],
    [{ key: 'rack', value: '' }],
  ],
}

/** Every field that the schema lets a caller note, so that a new one is tested by itself. */
const notes = Object.entries(things).flatMap(([thing, id]) => {
  const [input, output] = [schema.getType(`Update${thing}Input`), schema.getType(thing)]
  if (!isInputObjectType(input) || !isObjectType(output)) throw new Error(`there is no update${thing}`)
  return Object.values(input.getFields())
    .filter(({ name }) => name !== id)
    .map(({ name, type }) => {
      const shown = output.getFields()[name]
      if (!shown) throw new Error(`${thing} does not show ${name}`)
      const named = getNamedType(shown.type)
      const below = isObjectType(named) ? `{ ${Object.keys(named.getFields()).join(' ')} }` : ''
      if (isCompositeType(named) && below === '') throw new Error(`${thing}.${name} is not shown whole`)
      const [one, other] = samples[getNamedType(type).name] ?? []
      if (one === undefined) throw new Error(`add samples of ${String(type)}`)
      return { thing: thing as Thing, name, select: `${name} ${below}`, one, other }
    })
})

describe.each(engines)('notes on %s', (engine) => {
  let app: TestApp
  let world: World
  let server: Listening
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'noted', randomUUID())
    await app.database.client.configBundle.deleteMany({})
    await certify(app, world.nodeToken)
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  /** Who may change each of them. */
  const editor = (thing: Thing) => (thing === 'Tenant' ? app.operator : world.admin)
  const field = (thing: Thing) => thing.toLowerCase()

  /** A new one of each kind with further fields; returns its id and what the payload shows. */
  async function create(thing: Thing, input: object, select = '') {
    const places = { Tenant: {}, Cluster: { tenantId: world.tenantId }, Node: { clusterId: world.clusterId } }
    const all = { name: randomUUID(), ...places[thing], ...input }
    const outcome = await mutate<Record<string, { id: string }>>(
      app,
      editor(thing),
      `create${thing}`,
      all,
      `${field(thing)} { id ${select} }`,
    )
    return { id: outcome[field(thing)]?.id ?? '', ...outcome }
  }

  const update = (thing: Thing, id: string, input: object, select = 'id') =>
    mutate(app, editor(thing), `update${thing}`, { [things[thing]]: id, ...input }, `${field(thing)} { ${select} }`)

  const read = (thing: Thing, id: string, select: string, token = editor(thing)) =>
    app.ask<Record<string, unknown>>(token, `query ($id: UUID!) { ${field(thing)}(id: $id) { ${select} } }`, { id })

  describe.each(notes)('$name of a $thing', ({ thing, name, select, one, other }) => {
    const showing = (value: unknown) => ({ [field(thing)]: { [name]: value } })

    test('is set at creation, and empty otherwise', async () => {
      const made = await create(thing, { [name]: one }, select)
      expect(made).toMatchObject(showing(one))
      expect(await read(thing, made.id, select)).toEqual(showing(one))
      const plain = await read(thing, (await create(thing, {})).id, select)
      expect(plain).toEqual(await read(thing, (await create(thing, { [name]: null })).id, select))
      expect(plain).not.toEqual(showing(one))
    })

    test('is changed, stays where it is left out, and null clears it', async () => {
      const { id } = await create(thing, { [name]: one })
      expect(await update(thing, id, {}, select)).toMatchObject(showing(one))
      const others = notes.filter((note) => note.thing === thing && note.name !== name)
      for (const note of others) await update(thing, id, { [note.name]: note.one })
      expect(await read(thing, id, select)).toEqual(showing(one))
      expect(await update(thing, id, { [name]: other }, select)).toMatchObject(showing(other))
      expect(await read(thing, id, select)).toEqual(showing(other))
      const empty = await read(thing, (await create(thing, {})).id, select)
      expect(await update(thing, id, { [name]: null }, select)).toMatchObject(empty)
      expect(await read(thing, id, select)).toEqual(empty)
      for (const note of others) {
        expect(await read(thing, id, note.select)).toEqual({ [field(thing)]: { [note.name]: note.one } })
      }
    })
  })

  describe('and versions', () => {
    const state = async () => {
      const { client } = app.database
      const select = { configVersion: true, publishedConfigVersion: true, pendingChanges: true }
      const cluster = await client.cluster.findUniqueOrThrow({ where: { id: world.clusterId }, select })
      return { cluster, bundles: await client.configBundle.count() }
    }
    beforeEach(() => app.publish())

    test('a change of notes raises no version, leaves no message and is not published', async () => {
      const before = await state()
      for (const { thing, name, one } of notes) {
        const id = { Tenant: world.tenantId, Cluster: world.clusterId, Node: world.nodeId }[thing]
        expect((await update(thing, id, { [name]: one })).__typename).toBe(`Update${thing}Payload`)
      }
      await app.publish()
      expect(await state()).toEqual(before)
    })

    test('no bundle has them', async () => {
      const secret = 'only-for-people'
      await update('Tenant', world.tenantId, { description: secret })
      await update('Cluster', world.clusterId, { description: secret })
      await update('Node', world.nodeId, { description: secret, labels: [{ key: secret, value: secret }] })
      await mutate(app, world.admin, 'updateNodeMtu', { nodeId: world.nodeId, mtu: 1444 })
      await app.publish()
      const { data } = await app.database.client.configBundle.findFirstOrThrow({ orderBy: { version: 'desc' } })
      const archive = gunzipSync(data).toString('latin1')
      expect(archive).toContain(world.nodeId)
      expect(archive).not.toContain(secret)
    })
  })

  test('every reader of a node sees its notes, in each way that a node is read', async () => {
    const labels = [{ key: 'site', value: 'Bonn' }]
    await update('Node', world.nodeId, { description: 'by the door', labels })
    const noted = { description: 'by the door', labels }
    const select = 'description labels { key value }'
    const one = `node(id: "${world.nodeId}") { ${select} }`
    const list = `nodes(clusterId: "${world.clusterId}", filter: { name: "noted-node" }) { nodes { ${select} } }`
    const below = `cluster(id: "${world.clusterId}") { nodes(filter: { name: "noted-node" }) { nodes { ${select} } } }`
    for (const token of [app.operator, world.admin, world.viewer, world.adminNodeToken, world.nodeToken]) {
      expect(await app.ask(token, `{ ${one} ${list} ${below} }`)).toEqual({
        node: noted,
        nodes: { nodes: [noted] },
        cluster: { nodes: { nodes: [noted] } },
      })
    }
    expect(await app.ask(world.nodeToken, `{ viewer { ... on Node { ${select} } } }`)).toEqual({ viewer: noted })
  })

  test('a change of a node’s notes is one statement and its event of two, and every stream of the cluster is told', async () => {
    const query = `subscription ($id: UUID!) { clusterChanged(clusterId: $id) {
      __typename ... on NodeChanged { node { id description } } } }`
    const stream = await openStream<object>(server.url, world.viewer, { query, variables: { id: world.clusterId } })
    expect(await stream.next()).toMatchObject({ __typename: 'ClusterResync' })
    app.takeStatements()
    await update('Node', world.nodeId, { description: 'told' })
    const writes = app.takeStatements().filter((sql) => /^UPDATE|^INSERT|FOR UPDATE/i.test(sql))
    expect(writes.filter((sql) => !sql.includes('audit_events'))).toHaveLength(1)
    expect(writes).toHaveLength(3)
    expect(await stream.next()).toEqual({
      __typename: 'NodeChanged',
      node: { id: world.nodeId, description: 'told' },
    })
    await stream.close()
  })

  describe('what is refused', () => {
    const control = 'must not contain control characters'
    const long = 'must have at most 500 characters'
    const keys = 'must be small letters, digits, and between them also dots, underscores, slashes and hyphens'
    const label = (key: string, value = '') => ({ labels: [{ key, value }] })
    const many = (count: number) => ({ labels: Array.from({ length: count }, (_, i) => ({ key: `k${i}`, value: '' })) })
    const descriptions = Object.keys(things).flatMap((thing) => [
      [thing, 'description', control, { description: 'two\nlines' }],
      [thing, 'description', control, { description: 'evil\u202egnp' }],
      [thing, 'description', long, { description: 'x'.repeat(501) }],
    ]) as [Thing, string, string, object][]
    const labels: [Thing, string, string, object][] = [
      ['Node', 'labels', 'must have at most 32 labels', many(33)],
      ['Node', 'labels.0.key', 'must have at most 63 characters', label('k'.repeat(64))],
      ...['', 'Site', '-a', 'a.', 'a b', 'ä', '__proto__', 'a=b'].map((key): [Thing, string, string, object] => [
        'Node',
        'labels.0.key',
        keys,
        label(key),
      ]),
      ['Node', 'labels.0.value', 'must have at most 128 characters', label('k', 'v'.repeat(129))],
      ['Node', 'labels.0.value', control, label('k', 'a\tb')],
      ['Node', 'labels.2.key', 'is there twice: a', { labels: ['a', 'b', 'a'].map((key) => ({ key, value: key })) }],
    ]

    test.each([...descriptions, ...labels])('of a %s: %s %s (%#)', async (thing, at, message, input) => {
      const { id } = await create(thing, {})
      const expected = { __typename: 'ValidationError', issues: [{ path: ['input', ...at.split('.')], message }] }
      expect(await update(thing, id, input)).toMatchObject(expected)
      expect(await create(thing, input)).toMatchObject(expected)
    })

    test.each(Object.keys(things) as Thing[])('a %s that is not there', async (thing) => {
      expect((await update(thing, randomUUID(), { description: 'x' })).__typename).toBe('NotFoundError')
    })
  })

  test('the longest notes fit, counted in characters; a description is trimmed, and an empty one is null', async () => {
    const { id } = await create('Node', {})
    const shown = async (input: object) => {
      const { node } = (await update('Node', id, input, 'description labels { key value }')) as { node?: unknown }
      return node
    }
    const labels = Array.from({ length: 32 }, (_, i) => ({
      key: `${'k'.repeat(61)}${String(i).padStart(2, '0')}`,
      value: '🛰'.repeat(128),
    }))
    expect(await shown({ description: '🛰'.repeat(500), labels })).toEqual({ description: '🛰'.repeat(500), labels })
    expect(await shown({ description: '  by the door ', labels: [{ key: 'a', value: ' b ' }] })).toEqual({
      description: 'by the door',
      labels: [{ key: 'a', value: 'b' }],
    })
    expect(await shown({ description: '  ', labels: [] })).toEqual({ description: null, labels: [] })
  })

  test('labels are shown in the order of their keys, also those that JavaScript or PostgreSQL would order', async () => {
    const keys = ['10', '9', 'a', 'a.b', 'aa', 'b', 'constructor']
    const given = keys.toReversed().map((key) => ({ key, value: `of ${key}` }))
    const { id } = await create('Node', { labels: given })
    expect(await read('Node', id, 'labels { key value }')).toEqual({
      node: { labels: keys.map((key) => ({ key, value: `of ${key}` })) },
    })
  })
})
