import { randomUUID } from 'node:crypto'
import { request } from 'node:http'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'
import { getIntrospectionQuery } from 'graphql'

import { StreamPlaces } from '../../src/http/live/stream-places.ts'
import { Strangers } from '../../src/http/pipeline/strangers.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type OpenOptions, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { openStream, type Stream } from '../support/streams.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

let app: TestApp
let server: Listening
let world: World
let now: number
const clock = () => now
const seconds = (count: number) => (now += count * 1000)
const streams: Stream<unknown>[] = []

/** Ten requests at once, and one a second, of whoever is not signed in. */
const limits = { perSecond: 1, burst: 10, trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] }

async function start(options: OpenOptions = {}): Promise<void> {
  now = 0
  app = await startApp('sqlite', { strangers: new Strangers(limits, clock), ...options })
  server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  world = await createWorld(app, 'here', randomUUID())
}

afterEach(async () => {
  for (const stream of streams.splice(0)) await leave(stream)
  await server.close()
  await app.close()
})

/** Closes a stream, whether anything of it was read or not. */
async function leave(stream: Stream<unknown> | undefined): Promise<void> {
  if (stream?.response.body?.locked === false) await stream.response.body.cancel()
  else await stream?.close()
}

interface Asked {
  readonly path?: string
  readonly method?: string
  readonly body?: string
  readonly headers?: Readonly<Record<string, string>>
}

const viewer = JSON.stringify({ query: '{ viewer { __typename } }' })
const json = { 'content-type': 'application/json' }
const posted = (body = viewer): Asked => ({ method: 'POST', body, headers: json })
const bearer = (token: string) => ({ authorization: `Bearer ${token}` })
const unknown = () => bearer(`orn_${'x'.repeat(43)}`)

/** Each way in, as a plain request takes it. */
const ways: Record<string, Asked> = {
  'a query': posted(),
  'a query of somebody choosy': { ...posted(), headers: { ...json, accept: 'application/json, text/plain' } },
  'a subscription': { ...posted(), headers: { ...json, accept: 'text/event-stream' } },
  'an upload': { method: 'POST', body: '--x--', headers: { 'content-type': 'multipart/form-data; boundary=x' } },
  'a GET': { path: '/graphql?query={viewer{__typename}}', headers: { 'x-orrery-csrf': '1' } },
  'a poll': { path: '/bundle' },
  'a poll that is not plain': { path: '/bundle?' },
  'an archive': { path: `/clusters/${randomUUID()}/bundles/1` },
}

interface Answer {
  readonly status: number
  readonly retryAfter: string | undefined
  readonly text: string
}

/** Asks from an address of this machine; 127.0.0.0/8 has many. */
function ask({ path = '/graphql', method = 'GET', body, headers }: Asked, from = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const options = { method, headers: { ...headers, ...length }, localAddress: from }
    const sent = request(`${server.url}${path}`, options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, retryAfter: response.headers['retry-after'], text }),
      )
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

const signedWith = (asked: Asked, credential: Record<string, string>): Asked => ({
  ...asked,
  headers: { ...asked.headers, ...credential },
})

async function statuses(count: number, asked: Asked, from?: string): Promise<Record<number, number>> {
  const counts: Record<number, number> = {}
  for (let index = 0; index < count; index += 1) {
    const { status } = await ask(asked, from)
    counts[status] = (counts[status] ?? 0) + 1
  }
  return counts
}

describe('somebody without a valid credential', () => {
  beforeEach(() => start())

  test.each(Object.keys(ways))('is answered ten times by %s, and then told to come again later', async (way) => {
    const asked = ways[way] ?? {}
    expect(await statuses(12, asked)).toEqual({ 401: 10, 429: 2 })
    const { retryAfter, text } = await ask(asked)
    expect({ retryAfter, text }).toEqual({ retryAfter: '4', text: expect.stringContaining('TOO_MANY_REQUESTS') })
    seconds(4)
    expect((await ask(asked)).status).toBe(401)
    expect((await ask(asked)).status).toBe(429)
  })

  test.each(Object.keys(ways))('is counted with a bad credential, too, by %s', async (way) => {
    expect(await statuses(12, signedWith(ways[way] ?? {}, unknown()))).toEqual({ 401: 10, 429: 2 })
  })

  test('has one budget for all ways in', async () => {
    for (const asked of Object.values(ways)) expect((await ask(asked)).status).toBe(401)
    expect(await statuses(4, ways['a poll'] ?? {})).toEqual({ 401: 2, 429: 2 })
  })

  test('is looked up no more once its address is far beyond its budget', async () => {
    const asked = signedWith(ways['a poll'] ?? {}, unknown())
    await statuses(20, asked)
    app.takeStatements()
    expect(await statuses(50, asked)).toEqual({ 429: 50 })
    expect(app.takeStatements()).toEqual([])
  })

  test('costs nobody else anything: neither another address, nor a credential that is good', async () => {
    const good = signedWith(posted(), bearer(world.nodeToken))
    expect((await ask(good)).status).toBe(200)
    await statuses(50, signedWith(posted(), unknown()))
    expect((await ask(posted())).status).toBe(429)
    // Known to be good: whatever its neighbours do.
    expect(await statuses(20, good)).toEqual({ 200: 20 })
    expect((await ask(posted(), '127.0.0.2')).status).toBe(401)
  })

  test('does not keep a good credential out that is new, but for as long as it takes to look again', async () => {
    await statuses(15, posted())
    // Beyond the budget, and not far beyond it.
    expect((await ask(signedWith(posted(), bearer(world.nodeToken)))).status).toBe(200)
    await statuses(50, posted())
    const fresh = signedWith(posted(), bearer(world.adminNodeToken))
    expect((await ask(fresh)).status).toBe(429)
    seconds(2)
    expect((await ask(fresh)).status).toBe(200)
  })

  test('does not hide the health of the server', async () => {
    await statuses(50, posted())
    for (const path of ['/healthz', '/readyz']) expect((await ask({ path })).status).toBe(200)
  })

  test('loads GraphiQL within the same budget', async () => {
    expect(await statuses(11, { headers: { accept: 'text/html' } })).toEqual({ 200: 10, 429: 1 })
  })
})

describe('behind a proxy', () => {
  beforeEach(() => start())
  const through = (forwarded: string): Asked => signedWith(posted(), { 'x-forwarded-for': forwarded })

  test('each client has its own budget, whatever it claims to be', async () => {
    expect(await statuses(11, through('198.51.100.1'))).toEqual({ 401: 10, 429: 1 })
    expect((await ask(through('203.0.113.9, 198.51.100.1'))).status).toBe(429)
    // Through another proxy that is trusted.
    expect((await ask(through('203.0.113.9, 198.51.100.1:4711, 10.1.2.3'))).status).toBe(429)
    expect((await ask(through('198.51.100.2'))).status).toBe(401)
  })

  test('IPv6 is counted by what one customer is given', async () => {
    expect(await statuses(10, through('2001:db8:1:2::1'))).toEqual({ 401: 10 })
    expect((await ask(through('2001:db8:1:2:ffff::2'))).status).toBe(429)
    expect((await ask(through('2001:db8:1:3::1'))).status).toBe(401)
    expect(await statuses(10, through('::ffff:192.0.2.1'))).toEqual({ 401: 10 })
    expect((await ask(through('192.0.2.1'))).status).toBe(429)
  })

  test('without one that is trusted, the header says nothing', async () => {
    await server.close()
    await app.close()
    await start({ strangers: new Strangers({ ...limits, trustedProxies: [] }, clock) })
    const counts: number[] = []
    for (let index = 0; index < 12; index += 1) counts.push((await ask(through(`198.51.100.${index}`))).status)
    expect(counts.filter((status) => status === 429)).toHaveLength(2)
  })
})

describe('where everyone may read the schema', () => {
  const question = (marker = '') => JSON.stringify({ query: getIntrospectionQuery() + marker })
  const generous = { ...limits, perSecond: 100, burst: 1000 }
  beforeEach(() => start({ introspection: 'everyone', strangers: new Strangers(generous, clock) }))

  test('the question that all tools ask is answered from memory, the same each time', async () => {
    const first = await ask(posted(question()))
    expect(JSON.parse(first.text)).toMatchObject({ data: { __schema: { queryType: { name: 'Query' } } } })
    for (let index = 0; index < 50; index += 1) expect(await ask(posted(question()))).toEqual(first)
  })

  test('other documents have a small budget of their own', async () => {
    const answers: number[] = []
    for (let index = 0; index < 15; index += 1) answers.push((await ask(posted(question(` # ${index}`)))).status)
    expect(answers).toEqual([...Array.from({ length: 10 }, () => 200), ...Array.from({ length: 5 }, () => 429)])
    const refused = await ask(posted(question(' # another')))
    expect([refused.retryAfter, refused.text]).toEqual(['1', expect.stringContaining('TOO_MANY_REQUESTS')])
    // What is known costs nothing and goes on being answered.
    expect((await ask(posted(question(' # 3')))).status).toBe(200)
    seconds(1)
    expect((await ask(posted(question(' # another')))).status).toBe(200)
  })

  test('nothing else is answered', async () => {
    const { text, status } = await ask(posted('{"query":"{ viewer { __typename } }"}'))
    expect([status, text]).toEqual([401, expect.stringContaining('UNAUTHENTICATED')])
    expect((await ask(posted('{"query":"{ viewer { __typename } }"}'))).status).toBe(401)
  })
})

describe('streams', () => {
  const places = new StreamPlaces({ ofNode: 4, ofPerson: 3, ofTenant: 8 })
  beforeEach(() => start({ places }))
  const subscription = { query: 'subscription { configPublished { version } }' }
  const changes = () => ({
    query: 'subscription ($id: UUID!) { clusterChanged(clusterId: $id) { __typename } }',
    variables: { id: world.clusterId },
  })

  async function open(token: string, asked: { query: string; variables?: object }, count: number) {
    const opened: Stream<unknown>[] = []
    for (let index = 0; index < count; index += 1) opened.push(await openStream(server.url, token, asked))
    streams.push(...opened)
    return opened
  }
  const codes = (opened: Stream<unknown>[]) => opened.map(({ response }) => response.status)
  /** Every place that is to be given back has been. */
  const untilFree = (size: number) =>
    eventually(
      `${size} places are taken`,
      () => places.size,
      (taken) => taken === size,
    )

  test('a node has four, and gets a place back when one ends', async () => {
    const opened = await open(world.nodeToken, subscription, 6)
    expect(codes(opened)).toEqual([200, 200, 200, 200, 429, 429])
    expect(opened[4]?.response.headers.get('retry-after')).toBe('30')
    expect(await opened[4]?.next()).toEqual(['TOO_MANY_REQUESTS'])
    expect(places.size).toBe(4)
    await leave(opened[0])
    await untilFree(3)
    expect(codes(await open(world.nodeToken, subscription, 2))).toEqual([200, 429])
  })

  test('a person has its own number, by credential; a tenant has one for all together', async () => {
    expect(codes(await open(world.admin, changes(), 4))).toEqual([200, 200, 200, 429])
    expect(codes(await open(world.viewer, changes(), 4))).toEqual([200, 200, 200, 429])
    expect(codes(await open(world.nodeToken, subscription, 3))).toEqual([200, 200, 429])
    const other = await createWorld(app, 'there', randomUUID())
    expect(codes(await open(other.nodeToken, subscription, 1))).toEqual([200])
  })

  test('places come back when a credential ends', async () => {
    const { id, token } = await createNode(app, world.admin, { clusterId: world.clusterId, name: 'leaving' })
    expect(codes(await open(token, subscription, 4))).toEqual([200, 200, 200, 200])
    await app.ask(world.admin, 'mutation ($id: UUID!) { deleteNode(input: { nodeId: $id }) { __typename } }', { id })
    await untilFree(0)
  })

  test('a stream that is refused takes no place', async () => {
    const refused = await open(world.clusterToken, changes(), 6)
    for (const stream of refused) expect(await stream.next()).toEqual(['FORBIDDEN'])
    expect(places.size).toBe(0)
  })

  test('count without a socket as well', async () => {
    const init = () => ({
      method: 'POST',
      headers: { ...json, accept: 'text/event-stream', ...bearer(world.nodeToken) },
      body: JSON.stringify(subscription),
    })
    const opened: Response[] = []
    for (let index = 0; index < 5; index += 1) opened.push(await app.fetch('/graphql', init()))
    expect(opened.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429])
    for (const { body } of opened) {
      const reader = body?.getReader()
      await reader?.read()
      await reader?.cancel()
    }
    await untilFree(0)
  })
})
