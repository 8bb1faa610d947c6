import { randomUUID } from 'node:crypto'
import { once } from 'node:events'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { FairQueue } from '../../src/base/limits/fair-queue.ts'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { fileMark } from '../support/schema-walk.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

const dryRun = `mutation ($id: UUID!) { updateClusterFirewall(input: { clusterId: $id, dryRun: true,
  firewall: { inbound: [], outbound: [] } }) { __typename
  ... on LimitError { message retryAfterSeconds } ... on UpdateClusterFirewallPayload { plan { version nodeCount } } } }`

interface Answer {
  readonly updateClusterFirewall: { readonly __typename: string; readonly retryAfterSeconds?: number }
}

describe.each(engines)('expensive work of one tenant, on %s', (engine) => {
  let app: TestApp
  let world: World
  let other: World
  const expensive = new FairQueue({ running: 2, waitingOfOwner: 4, waiting: 64 })
  beforeAll(async () => {
    app = await startApp(engine, { expensive })
    world = await createWorld(app, 'greedy', randomUUID())
    other = await createWorld(app, 'modest', randomUUID())
    for (let index = 0; index < 20; index += 1)
      await createNode(app, world.admin, { clusterId: world.clusterId, name: `n${index}` })
  })
  afterAll(() => app.close())

  const look = (of: World) => app.ask<Answer>(of.admin, dryRun, { id: of.clusterId })

  test('is refused beyond its share, while another tenant’s is done; nothing fails', async () => {
    const greedy = Array.from({ length: 50 }, () => look(world))
    const done: string[] = []
    const modest = look(other).then((answer) => done.push(answer.updateClusterFirewall.__typename))
    const answers = await Promise.all(greedy)
    await modest
    const kinds = answers.map(({ updateClusterFirewall }) => updateClusterFirewall.__typename)
    // One runs and four wait.
    expect(kinds.filter((kind) => kind === 'UpdateClusterFirewallPayload')).toHaveLength(5)
    expect(kinds.filter((kind) => kind === 'LimitError')).toHaveLength(45)
    for (const { updateClusterFirewall: one } of answers) {
      if (one.__typename === 'LimitError') expect(one.retryAfterSeconds).toBeGreaterThanOrEqual(1)
    }
    expect(done).toEqual(['UpdateClusterFirewallPayload'])
    expect(expensive.size).toEqual({ running: 0, waiting: 0 })
  })

  test('stops waiting when its client has left', async () => {
    const leaving = new AbortController()
    const ask = () =>
      app.fetch('/graphql', {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${world.admin}` },
        body: JSON.stringify({ query: dryRun, variables: { id: world.clusterId } }),
        signal: leaving.signal,
      })
    // Until it is let go of, the tenant's one place is taken.
    const lettingGo = new AbortController()
    const held = expensive.run(world.tenantId, new AbortController().signal, () => once(lettingGo.signal, 'abort'))
    const abandoned = Array.from({ length: 4 }, () => ask().catch(() => null))
    while (expensive.size.waiting < 4) await new Promise((resolve) => setImmediate(resolve))
    leaving.abort()
    await Promise.all(abandoned)
    while (expensive.size.waiting > 0) await new Promise((resolve) => setImmediate(resolve))
    lettingGo.abort()
    await held
    expect(expensive.size).toEqual({ running: 0, waiting: 0 })
  })

  test('costs a request as much as it is asked for, aliases included', async () => {
    const aliased = (count: number) =>
      `mutation ($id: UUID!) { ${Array.from({ length: count }, (_, i) => `a${i}: updateClusterFirewall(input: { clusterId: $id, dryRun: true, firewall: { inbound: [], outbound: [] } }) { __typename }`).join(' ')} }`
    const ask = (count: number) => app.answer(world.admin, aliased(count), { id: world.clusterId })
    expect((await ask(5)).errors).toBeUndefined()
    const { status, errors } = await ask(30)
    expect({ status, code: errors?.[0]?.extensions?.code }).toEqual({ status: 400, code: 'QUERY_TOO_COMPLEX' })
  })

  test('reads none of the other nodes while it keeps the cluster locked', async () => {
    const statements = async (query: string, variables: object) => {
      app.takeStatements()
      await app.ask(world.admin, query, variables)
      const all = app.takeStatements()
      // The bump takes the lock, and what follows it here holds it.
      const bump = all.findIndex((sql) => /^UPDATE.*clusters/.test(sql))
      expect(all[bump]).toMatch(/config_version/)
      return all.slice(bump).filter((sql) => /SELECT.*\bnodes\b/.test(sql)).length
    }
    expect(await statements(dryRun, { id: world.clusterId })).toBe(0)
    const mtu = `mutation ($id: UUID!) { updateNodeMtu(input: { nodeId: $id, mtu: 1280, dryRun: true }) {
      ... on UpdateNodeMtuPayload { plan { nodeCount } } } }`
    // The one itself, with the one before it in the order of names.
    expect(await statements(mtu, { id: world.nodeId })).toBeLessThanOrEqual(4)
  })

  test('leaves the event loop to others, however large the configuration is that it looks at', async () => {
    const hosts = Array.from({ length: 4000 }, (_, i) => `  "10.42.${i >> 8}.${i & 255}": ["203.0.113.7:4242"]\n`)
    const config = `listen:\n  port: 4242\nstatic_host_map:\n${hosts.join('')}`
    const archive = await packBundle([{ path: 'config.yml', content: Buffer.from(config) }])
    const create = `mutation ($id: UUID!, $archive: File!) {
      createConfigBundle(input: { clusterId: $id, archive: $archive }) { __typename ... on Error { message } } }`
    const variables = { id: world.clusterId, archive: fileMark }
    const { text } = await send(app, world.admin, create, variables, new Uint8Array(archive))
    expect(text).toContain('CreateConfigBundlePayload')
    let [longest, last] = [0, performance.now()]
    const watch = setInterval(() => {
      const now = performance.now()
      longest = Math.max(longest, now - last)
      last = now
    }, 1)
    const start = performance.now()
    const query = dryRun.replace('nodeCount', 'nodeCount nodes { action }')
    const answer = await app.ask<Answer>(world.admin, query, { id: world.clusterId })
    const took = performance.now() - start
    clearInterval(watch)
    expect(answer.updateClusterFirewall.__typename).toBe('UpdateClusterFirewallPayload')
    expect(longest / took).toBeLessThan(0.3)
  })
})
