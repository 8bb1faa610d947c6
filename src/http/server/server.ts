import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

import type { App } from '../app.ts'
import { describeError } from '../pipeline/describe-error.ts'
import { EventStreams } from '../live/event-streams.ts'
import { send } from './send.ts'

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free port. */
  readonly port: number
  /** How long requests may still run once the server is being closed, in milliseconds. */
  readonly closeTimeout?: number
  /** How long a client may take to send its headers, and its whole request, in milliseconds. */
  readonly headersTimeout?: number
  readonly requestTimeout?: number
  /** How long a connection with a request may stay still, e.g. because the answer is not read, in milliseconds. */
  readonly inactivityTimeout?: number
  /** How many connections there may be; those beyond are closed as they come. */
  readonly mostConnections?: number
  /** Called when connections are closed for that, or could not be taken. */
  readonly onCrowd?: (reason: string) => void
}

export interface Listening {
  /** Where it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string
  /** Takes no more connections, lets running requests end, and cuts those that do not end in time. */
  close(): Promise<void>
}

/** Agents poll every minute or so on one connection: it is kept longer than that (ms). */
const keepAliveTimeout = 75_000
/**
 * Connections that may wait to be taken: after a restart thousands of agents come at once, and who finds no place tries
 * again after a second, then three, then seven. The system's own bound (Linux: net.core.somaxconn, 4096) holds as well.
 */
const backlog = 16_384
/** Room for an identity provider's JWT. */
const maxHeaderSize = 16_384
/** The share of the connections there may be from which on those without a request are closed. */
const crowded = 0.9
/** How long the rest of a body that nobody wants is taken in before the connection is cut, in milliseconds. */
const lingerTimeout = 2000
/** While the server is being closed, how often connections without a request are looked for, in milliseconds. */
const idleInterval = 50

/**
 * Serves the app on node:http.
 * @throws the socket's error (EADDRINUSE, EACCES, …) when it cannot listen
 */
export async function listen(app: App, options: ListenOptions): Promise<Listening> {
  const { host, port, closeTimeout = 10_000, inactivityTimeout = 120_000 } = options
  const { headersTimeout = 15_000, requestTimeout = 120_000 } = options
  const { mostConnections = Infinity, onCrowd = () => undefined } = options
  const sockets = new Set<Socket>()
  const streams = new EventStreams()
  let closing: Promise<void> | null = null

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const call = app.receive(request)
    response.once('close', () => {
      if (!response.writableFinished) call.leave()
      if (!request.complete) endUnreadBody(request)
    })
    const answer = await app.answer(call)
    if (closing && !response.headersSent) response.setHeader('connection', 'close')
    send(response, answer, streams)
  }
  const server = createServer(
    {
      headersTimeout,
      requestTimeout,
      keepAliveTimeout,
      maxHeaderSize,
      connectionsCheckingInterval: Math.min(1000, headersTimeout, requestTimeout),
    },
    (request, response) => {
      serve(request, response).catch((error: unknown) => {
        app.log.error({ error: describeError(error) }, 'an answer could not be sent')
        response.destroy()
      })
    },
  )
  server.setTimeout(inactivityTimeout)
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    // Agents keep theirs between two polls: those are the ones to do without.
    if (sockets.size > crowded * mostConnections) server.closeIdleConnections()
  })
  if (mostConnections < Infinity) server.maxConnections = mostConnections
  server.on('drop', () => onCrowd(`more than ${mostConnections} connections`))

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host, backlog }, resolve)
  })
  // From here on it is about one connection that could not be taken (EMFILE), and nothing to end the process for.
  server.on('error', ({ message }) => onCrowd(message))

  const close = async (): Promise<void> => {
    app.stop()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // Connections that were opened and never used: node:http counts them as busy until the headers are overdue.
    for (const socket of sockets) {
      if (socket.bytesRead === 0) socket.destroy()
    }
    // Connections whose request has ended meanwhile; what is left are those with a request.
    const idle = setInterval(() => server.closeIdleConnections(), idleInterval)
    const deadline = setTimeout(() => {
      app.log.warn({ requests: sockets.size, closeTimeout }, 'requests did not end in time and were cut')
      server.closeAllConnections()
    }, closeTimeout)
    await closed
    clearInterval(idle)
    clearTimeout(deadline)
  }
  return { url: urlOf(server.address()), close: () => (closing ??= close()) }
}

/** A request that was answered before its body was read (413, 401, …) may not go on sending for long. */
function endUnreadBody(request: IncomingMessage): void {
  if (request.destroyed) return
  const timer = setTimeout(() => request.destroy(), lingerTimeout)
  request.once('close', () => clearTimeout(timer))
}

function urlOf(address: ReturnType<ReturnType<typeof createServer>['address']>): string {
  if (address === null || typeof address === 'string') throw new Error('the server listens on no port')
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  return `http://${host}:${address.port}`
}
