// The floor: node:http with nothing above it. It answers each path with the bytes of Orrery's answer, and reads and
// parses the body of a POST, which no server can avoid. Started as `bare.ts <port>`; the answers arrive over the
// channel to the parent process.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

interface Prepared {
  readonly path: string
  readonly status: number
  readonly contentType: string
  /** In base64. */
  readonly body: string
}

const prepared = new Map<string, { status: number; headers: Record<string, string | number>; body: Buffer }>()

process.on('message', (message) => {
  if (typeof message !== 'object' || message === null || !('answer' in message)) return
  const { path, status, contentType, body: text } = message.answer as Prepared
  const body = Buffer.from(text, 'base64')
  const headers = status === 304 ? { etag: '"1"' } : { 'content-type': contentType, 'content-length': body.length }
  prepared.set(path, { status, headers, body })
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { status, headers, body } = prepared.get(request.url ?? '') ?? { status: 404, headers: {}, body: '' }
  response.writeHead(status, headers)
  response.end(body)
}

const server = createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
  if (request.method === 'GET') {
    answer(request, response)
    return
  }
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    JSON.parse(Buffer.concat(chunks).toString())
    answer(request, response)
  })
})
server.listen(Number(process.argv[2]), '127.0.0.1')
