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
  /** How long requests may go on once the server is closing, in milliseconds. */
  readonly closeTimeout?: number
  /** How long a client may take to send its headers, and its whole request, in milliseconds. */
  readonly headersTimeout?: number
  readonly requestTimeout?: number
  /** How long a connection with a request may be idle, e.g. because the client does not read, in milliseconds. */
  readonly inactivityTimeout?: number
  /** The highest number of connections; further ones are closed at once. */
  readonly mostConnections?: number
  /** Called when connections are closed for that reason, or could not be accepted. */
  readonly onCrowd?: (reason: string) => void
}

export interface Listening {
  /** The URL at which it listens, e.g. `http://127.0.0.1:4000`. */
  readonly url: string
  /** Accepts no more connections, lets running requests end, and cuts those that do not end in time. */
  close(): Promise<void>
}

/** Longer than the interval of about a minute at which an agent polls on its connection (ms). */
const keepAliveTimeout = 75_000
/**
 * Connections that may wait to be accepted: after a restart thousands of agents connect at once, and one that finds no
 * place tries again after a second, then three, then seven. The system's limit (Linux: net.core.somaxconn, 4096)
 * applies as well.
 */
const backlog = 16_384
/** Room for an identity provider's JWT. */
const maxHeaderSize = 16_384
/** Above this share of the permitted connections, those without a request are closed. */
const crowded = 0.9
/** How long the rest of an unwanted body is received before the connection is cut, in milliseconds. */
const lingerTimeout = 2000
/** How often a closing server looks for connections without a request, in milliseconds. */
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
    // Agents keep their connections between polls: these are the ones to close first.
    if (sockets.size > crowded * mostConnections) server.closeIdleConnections()
  })
  if (mostConnections < Infinity) server.maxConnections = mostConnections
  server.on('drop', () => onCrowd(`more than ${mostConnections} connections`))

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen({ port, host, backlog }, resolve)
  })
  // From here on, an error concerns one connection that could not be accepted (EMFILE); it must not end the process.
  server.on('error', ({ message }) => onCrowd(message))

  const close = async (): Promise<void> => {
    app.stop()
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // Connections that were never used: node:http counts them as busy until their headers are overdue.
    for (const socket of sockets) {
      if (socket.bytesRead === 0) socket.destroy()
    }
    // Closes connections as their requests end, so that only those with a request are left.
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

/** Limits how long a client may go on sending a body after its request was answered (413, 401, …). */
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
