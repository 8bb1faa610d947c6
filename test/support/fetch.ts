import { Readable } from 'node:stream'
import type { ReadableStream as WebStream } from 'node:stream/web'

import type { FinishedAnswer } from '../../src/http/pipeline/answer.ts'
import type { App } from '../../src/http/app.ts'
import type { Incoming } from '../../src/http/pipeline/incoming.ts'

/**
 * Asks an application without a socket: a request of the Fetch standard becomes one as node:http would pass it, takes
 * the one way through the application, and its answer becomes a response. Only the socket's own behaviour is left out.
 * @param path as it is sent, with its query
 */
export async function fetchFrom(
  { receive, answer }: Pick<App, 'receive' | 'answer'>,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  // A streamed body needs `duplex` (Fetch standard, 5.4), which the types do not know.
  const asked = new Request('http://orrery.test/', { ...init, duplex: 'half' } as RequestInit)
  const call = receive(incoming(asked, path))
  const left = new Promise<never>((_resolve, reject) => {
    asked.signal.addEventListener('abort', () => {
      call.leave()
      reject(new Error('the client has left'))
    })
  })
  return responseOf(await Promise.race([answer(call), left]))
}

function incoming({ method, headers, body }: Request, url: string): Incoming {
  const stream = body ? Readable.fromWeb(body as WebStream<Uint8Array>) : Readable.from([])
  // A client that is cut off reports no error.
  stream.on('error', () => undefined)
  return Object.assign(stream, {
    method,
    url,
    headers: { host: 'orrery.test', ...Object.fromEntries(headers) },
    // Without a connection, no client is counted.
    socket: {},
  })
}

function responseOf({ status, head, parts }: FinishedAnswer): Response {
  const headers = new Headers()
  for (let at = 0; at < head.length; at += 2) headers.append(head[at] ?? '', head[at + 1] ?? '')
  if (!('next' in parts)) {
    const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))
    return new Response(bytes.length === 0 ? null : Buffer.concat(bytes), { status, headers })
  }
  const body = new ReadableStream({
    async pull(controller) {
      const frame = await parts.next()
      if (frame) controller.enqueue(frame)
      else controller.close()
    },
    cancel: () => parts.end(),
  })
  return new Response(body, { status, headers })
}
