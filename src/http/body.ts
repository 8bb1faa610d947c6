import { refused } from './responses.ts'

/**
 * A request's body as it arrives, counting what really comes.
 * @param limit in bytes
 * @throws GraphQLError with status 413 as soon as there is more; the rest is left unread
 */
export async function* countedChunks(request: Request, limit: number): AsyncGenerator<Uint8Array, void> {
  const tooLarge = () => refused(413, 'PAYLOAD_TOO_LARGE', `The body of this request may have at most ${limit} bytes.`)
  if (Number(request.headers.get('content-length')) > limit) throw tooLarge()
  // Not `for await`: leaving that loop early would destroy the connection before the answer is out.
  const reader = request.body?.getReader()
  let size = 0
  while (reader) {
    const { done, value } = await reader.read().catch(endedEarly)
    if (done) break
    size += value.byteLength
    if (size > limit) throw tooLarge()
    yield value
  }
}

/** Reads a request's body to its end; limit and errors are those of `countedChunks`. */
export async function readBody(request: Request, limit: number): Promise<Buffer<ArrayBuffer>> {
  const chunks: Uint8Array[] = []
  for await (const chunk of countedChunks(request, limit)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The client went away or was too slow; nobody reads the answer. */
function endedEarly(): never {
  throw refused(400, 'BAD_REQUEST', 'The request ended before its body did.')
}
