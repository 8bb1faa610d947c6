import { randomUUID } from 'node:crypto'
import { request } from 'node:http'

import { listen } from '../../src/http/server/server.ts'
import { startApp, type OpenOptions, type TestApp } from './app.ts'
import { certify } from './certified.ts'
import { createWorld, type World } from './world.ts'

/** What a client sees of an answer, without the parts that differ each time. */
export interface Seen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

/** An operation, posted as JSON. */
export const posted = (params: unknown, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(params),
})

/** An application with a world in it that listens on a socket. */
export interface Served {
  readonly app: TestApp
  readonly world: World
  bySocket(asked: Asked): Promise<Seen>
  /** Without the socket, as most tests ask. */
  byFetch(asked: Asked): Promise<Seen>
  close(): Promise<void>
}

/** Starts an application whose world has a node with a certificate, in a published cluster. */
export async function startServed(options: OpenOptions = {}): Promise<Served> {
  const app = await startApp('sqlite', options)
  const world = await createWorld(app, 'served', randomUUID())
  await app.database.client.configBundle.deleteMany()
  await certify(app, world.nodeToken)
  await app.publish()
  const server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  return {
    app,
    world,
    bySocket: (asked) => bySocket(server.url, asked, world.marks),
    byFetch: (asked) => byFetch(app, asked, world.marks),
    async close() {
      await server.close()
      await app.close()
    },
  }
}

function bySocket(address: string, asked: Asked, marks: readonly string[]): Promise<Seen> {
  const { method = 'GET', path = '/graphql', body } = asked
  return new Promise((resolve, reject) => {
    const sent = request(`${address}${path}`, { method, headers: headersOf(asked) }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => {
        const headers = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as const)
        resolve(seen({ status: response.statusCode ?? 0, headers, body: Buffer.concat(chunks) }, marks))
      })
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

async function byFetch(app: TestApp, asked: Asked, marks: readonly string[]): Promise<Seen> {
  const { method = 'GET', path = '/graphql', body } = asked
  const init = {
    method,
    headers: headersOf(asked),
    ...(body === undefined ? {} : { body: new Uint8Array(Buffer.from(body)) }),
  }
  const response = await app.fetch(path, init)
  const { status, headers } = response
  return seen({ status, headers, body: Buffer.from(await response.arrayBuffer()) }, marks)
}

const headersOf = ({ token, headers }: Asked): Record<string, string> => ({
  ...headers,
  ...(token === null || token === undefined ? {} : { authorization: `Bearer ${token}` }),
})

/** Headers of the connection. */
const ofTransport = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding'])

interface Answer {
  readonly status: number
  readonly headers: Iterable<readonly [string, string]>
  readonly body: Buffer
}

function seen({ status, headers, body }: Answer, marks: readonly string[]): Seen {
  const ids = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
  const kept = [...headers]
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !ofTransport.has(name))
  return {
    status,
    headers: Object.fromEntries(
      kept.map(([name, value]) => [name, name === 'x-request-id' ? '<id>' : value] as const).sort(),
    ),
    body: body.toString('latin1').replace(ids, (id) => (marks.includes(id) ? id : '<id>')),
  }
}
