// A hand-written server for just these requests: node:http, the database's driver, SQL, JSON; the same authentication,
// the same rows, the same answers as Orrery's. Started as `sql.ts <port> <database URL> <keys as JSON>`.
import { createServer, type IncomingMessage } from 'node:http'

import { authenticator, type Caller } from './sql-authentication.ts'
import { openDriver } from './sql-driver.ts'
import { reads } from './sql-reads.ts'
import { writes } from './sql-writes.ts'

const [port = '', url = '', keys = ''] = process.argv.slice(2)
const driver = await openDriver(url)
const keyTexts = JSON.parse(keys) as { tokenHash: string; jwt: string }
const authenticate = authenticator(driver, keyTexts)
const { poll, page, deep, latestVersion, archive } = reads(driver)
const { createNode, setRoutes } = writes(driver, keyTexts.tokenHash)

type Operation = (caller: Caller, variables: Record<string, unknown>) => Promise<unknown>

const operations = new Map<string, Operation>([
  ['/poll', (caller) => poll(ownCluster(caller))],
  ['/page', ({ tenantId }, { clusterId, first }) => page(tenantId, String(clusterId), Number(first))],
  ['/page-counted', ({ tenantId }, { clusterId, first }) => page(tenantId, String(clusterId), Number(first), true)],
  ['/deep', () => deep()],
  ['/create', ({ tenantId }, input) => createNode(tenantId, input as { clusterId: string; name: string })],
  ['/routes', (caller, input) => setRoutes(caller, input as { nodeId: string; routes: string[] })],
])

const ownCluster = ({ tenantId, clusterId }: Caller) => ({ tenantId, clusterId: clusterId ?? '' })

interface Result {
  readonly status: number
  readonly headers: Record<string, string | number>
  readonly body: string | Buffer | null
}

async function handle(request: IncomingMessage, body: string): Promise<Result> {
  const caller = await authenticate(request.headers.authorization)
  if (!caller) return { status: 401, headers: {}, body: null }
  if (request.url === '/bundle') return bundle(ownCluster(caller), request.headers['if-none-match'])
  const operation = operations.get(request.url ?? '')
  if (!operation) return { status: 404, headers: {}, body: null }
  const { variables } = JSON.parse(body) as { variables: Record<string, unknown> }
  const text = JSON.stringify({ data: await operation(caller, variables) })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }
  return { status: 200, headers, body: text }
}

async function bundle(of: { tenantId: string; clusterId: string }, known: string | undefined): Promise<Result> {
  const version = await latestVersion(of)
  const headers = { etag: `"${version}"`, 'cache-control': 'private, no-cache', vary: 'authorization' }
  if (known === headers.etag) return { status: 304, headers, body: null }
  const data = await archive(of, version)
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/gzip', 'content-length': data.length },
    body: data,
  }
}

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    handle(request, Buffer.concat(chunks).toString()).then(
      ({ status, headers, body }) => response.writeHead(status, headers).end(body),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
})
server.listen(Number(port), '127.0.0.1')
