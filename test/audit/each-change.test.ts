import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { getNamedType, isObjectType, isUnionType, type GraphQLOutputType } from 'graphql'

import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { controlPlaneChain } from '../../src/db/audit/event.ts'
import { actionOf, unrecorded } from '../../src/graphql/changes/recorded.ts'
import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines, type Engine } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { operationFor, rootFields } from '../support/schema-walk.ts'
import { createWorld, type World } from '../support/world.ts'
import { allRows, changedRows, ownerOf, type Rows } from './all-rows.ts'
import { calls } from './each-mutation.ts'

const recorded = rootFields(schema).filter(({ kind, field }) => kind === 'mutation' && !unrecorded.has(field.name))
const fieldOf = new Map(recorded.map(({ field }) => [field.name, field]))

/** Their statements make transactions of their own, and the event follows (docs/audit.md). */
const ofInstances = ['registerReplica', 'updateReplicaRole', 'deleteReplica', 'pruneStaleReplicas']

/** What is deleted with something else, or because it is old, is not named. */
const aboutMany = new Set(['deleteTenant', 'deleteCluster', 'deleteOldConfigBundles'])

test('each mutation that is in the trail is called here: say in each-mutation.ts with what it succeeds', () => {
  expect(Object.keys(calls).sort()).toEqual([...fieldOf.keys()].sort())
})

/** Makes the database refuse every event, and takes that back. */
const refusing: Readonly<Record<Engine, readonly [begin: string, end: string]>> = {
  sqlite: [
    "CREATE TRIGGER no_events BEFORE INSERT ON audit_events BEGIN SELECT RAISE(ABORT, 'no events'); END",
    'DROP TRIGGER no_events',
  ],
  postgresql: [
    'ALTER TABLE audit_events ADD CONSTRAINT no_events CHECK (false) NOT VALID',
    'ALTER TABLE audit_events DROP CONSTRAINT no_events',
  ],
}

/** The tokens that a payload shows, as a selection. */
function tokensIn(type: GraphQLOutputType, depth = 2): string {
  const named = getNamedType(type)
  if (isUnionType(named)) {
    return named
      .getTypes()
      .map((one) => `... on ${one.name} { __typename ${tokensIn(one, depth)} }`)
      .join(' ')
  }
  if (!isObjectType(named) || depth === 0) return ''
  return Object.values(named.getFields())
    .map(({ name, type: inner }) => {
      if (name === 'token') return 'token'
      const below = name.toLowerCase().includes('token') || name === 'createdNodes' ? tokensIn(inner, depth - 1) : ''
      return below.trim() === '' ? '' : `${name} { ${below} }`
    })
    .join(' ')
}

describe.each(engines)('the event of each change on %s', (engine) => {
  let app: TestApp
  let world: World
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'ours', randomUUID())
  })
  afterAll(() => app.close())

  const events = (skip: number) =>
    app.database.client.auditEvent.findMany({ where: { sequence: { gt: 0 } }, orderBy: { id: 'asc' }, skip })
  /** Everything that must not be read in the trail, besides the tokens that were shown. */
  async function secrets(): Promise<string[]> {
    const { client } = app.database
    const clusters = await client.cluster.findMany()
    return [
      ...(await client.node.findMany()).map(({ tokenHash }) => tokenHash),
      ...(await client.credential.findMany()).map(({ tokenHash }) => tokenHash),
      ...clusters.flatMap((one) => [one.clusterTokenHash, one.pkiCaKey, one.pkiOtherCaKey, one.bundleSigningKey]),
    ].filter((secret) => secret !== null)
  }

  test.each(Object.entries(calls))(
    '%s is one, of the tenant and the cluster whose rows changed, in its transaction and without secrets',
    async (name, make) => {
      const field = fieldOf.get(name)
      if (!field) throw new Error(`${name} is no mutation that is recorded`)
      const { input, token } = await make(world, app)
      const args = field.args.length === 0 ? {} : { input }
      const operation = operationFor('mutation', field, args, `{ __typename ${tokensIn(field.type)} }`)
      const archive = await packBundle([{ path: 'config.yml', content: 'punchy:\n  punch: true\n' }])
      const call = async () => (await send(app, token, operation, args, archive)).text
      const before = await allRows(app)

      if (!ofInstances.includes(name)) {
        const [begin, end] = refusing[engine]
        await app.database.client.$executeRawUnsafe(begin)
        const failed = await call().finally(() => app.database.client.$executeRawUnsafe(end))
        expect(failed).toContain('INTERNAL_SERVER_ERROR')
        expect(changedRows(before, await allRows(app))).toEqual([])
      }

      const known = (await events(0)).length
      const hidden = await secrets()
      const text = await call()
      expect(text).toContain(`"${name.charAt(0).toUpperCase()}${name.slice(1)}Payload"`)
      const found = await events(known)
      const after = await allRows(app)
      const changed = changedRows(before, after)
      const [tenantId, clusterId] = [ownerOf(changed, 'tenantId'), ownerOf(changed, 'clusterId')]
      expect(found).toEqual([
        expect.objectContaining({
          ...{ action: actionOf(name), outcome: 'done', refusal: null },
          ...{ tenantId, clusterId, chain: tenantId ?? controlPlaneChain },
        }),
      ])

      const [event] = found
      if (name !== 'pruneStaleReplicas') expect(changed).not.toEqual([])
      const versions = [before, after].map((rows) => versionIn(rows.get(`clusters ${clusterId}`)?.text))
      if (versions[0] !== undefined && versions[1] !== undefined && versions[0] !== versions[1]) {
        expect(event?.version).toBe(versions[1])
      }
      if (!ofInstances.includes(name)) {
        const targets = (JSON.parse(event?.targets ?? '') as { id: string }[]).map(({ id }) => id)
        expect(targets).not.toEqual([])
        expect([...before.values(), ...after.values()].map(({ id }) => id)).toEqual(expect.arrayContaining(targets))
        const gone = changed.filter(({ id }) => !idsOf(after).has(id) && !aboutMany.has(name)).map(({ id }) => id)
        expect(targets).toEqual(expect.arrayContaining(gone))
      }
      const shown = text.match(/\bor[a-z]_[\w-]{43}/g) ?? []
      expect(shown.length > 0).toBe(/\btoken\b/.test(operation))
      const all = JSON.stringify([event?.actor, event?.targets, event?.before, event?.after])
      expect([...hidden, ...(await secrets()), ...shown].filter((secret) => all.includes(secret))).toEqual([])
      expect(all).not.toContain('PRIVATE KEY')
    },
  )
})

const idsOf = (rows: Rows): ReadonlySet<string> => new Set([...rows.values()].map(({ id }) => id))

const versionIn = (text: string | undefined) =>
  text === undefined ? undefined : (JSON.parse(text) as { configVersion: number }).configVersion
