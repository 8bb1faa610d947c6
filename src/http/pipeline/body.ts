import { refused } from './refusals.ts'
import type { Incoming } from './incoming.ts'

/**
 * A request's body as it arrives. The bytes that really arrive are counted.
 * @param limit in bytes
 * @throws GraphQLError with status 413 as soon as the limit is exceeded; the rest is left unread
 */
export async function* countedChunks(request: Incoming, limit: number): AsyncGenerator<Uint8Array, void> {
  refuseAnnounced(request, limit)
  // Not `for await`: leaving that loop early would destroy the connection before the answer is sent.
  const chunks = request[Symbol.asyncIterator]() as AsyncIterator<Uint8Array, undefined>
  let size = 0
  for (;;) {
    const next = await chunks.next().catch(() => {
      throw endedEarly()
    })
    if (next.done === true) return
    size += next.value.byteLength
    if (size > limit) throw tooLarge(limit)
    yield next.value
  }
}

/**
 * Reads a request's body to its end; limit and errors are those of `countedChunks`. It uses events, because most
 * requests have a body and a stream's iterator costs more than all other work on it.
 */
export function readBody(request: Incoming, limit: number): Promise<Buffer<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    refuseAnnounced(request, limit)
    if (request.destroyed) throw endedEarly()
    const chunks: Buffer<ArrayBuffer>[] = []
    let size = 0
    const take = (chunk: Buffer<ArrayBuffer>) => {
      chunks.push(chunk)
      size += chunk.length
      if (size <= limit) return
      request.off('data', take).pause()
      reject(tooLarge(limit))
    }
    const left = () => {
      // After the end of the body, `close` is no error.
      if (!request.readableEnded) reject(endedEarly())
    }
    request.on('data', take)
    request.on('end', () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)))
    request.on('close', left)
    request.on('error', left)
  })
}

function refuseAnnounced({ headers }: Incoming, limit: number): void {
  if (Number(headers['content-length']) > limit) throw tooLarge(limit)
}

const tooLarge = (limit: number) =>
  refused(413, 'PAYLOAD_TOO_LARGE', `The body of this request may have at most ${limit} bytes.`)

/** The client left or was too slow; it will not read the answer. */
const endedEarly = () => refused(400, 'BAD_REQUEST', 'The request ended before its body did.')
