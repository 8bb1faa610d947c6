import { Agent as HttpAgent, request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

/** What an answer may take. A stranger's server decides on the rest of it. */
export interface AnswerBounds {
  /** Bytes of the status line and all header fields. */
  readonly head: number
  /** Bytes of the body, as they come. */
  readonly body: number
  /** Milliseconds for all of it, from looking up the name on. */
  readonly time: number
}

export interface Asked {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Ends the request, and an answer that is still coming. */
  readonly end?: AbortSignal | undefined
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface StreamedAnswer extends Pick<Answer, 'status' | 'headers'> {
  /** Ends with an error when the connection breaks or the request's `end` fires; leaving the loop closes the connection. */
  readonly body: AsyncIterable<Buffer>
  /** Closes the connection, whether anybody reads or not. */
  readonly close: () => void
}

/** No answer, or none within its bounds; the message says who was asked and what was the matter. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/**
 * Makes one HTTP request and takes its whole answer, within bounds. When it returns or throws, the connection is closed:
 * fetch leaves the one of an answer that goes on for ever (undici, in Node 20, forgets the signal behind the head).
 * Redirects are not followed: what was meant for one server, a token above all, goes to no other.
 * @throws NoAnswerError
 */
export async function boundedRequest(address: string, asked: Asked, bounds: AnswerBounds): Promise<Answer> {
  const { response, over } = await head(address, asked, bounds)
  const { statusCode: status = 0, headers } = response
  try {
    return { status, headers, body: await wholeBody(address, response, bounds.body) }
  } catch (error) {
    throw over.reason ?? noAnswer(address, error)
  } finally {
    over.settle()
  }
}

/**
 * The same for an answer that goes on: the bounds of head and time hold for its head alone.
 * @throws NoAnswerError
 */
export async function boundedStream(
  address: string,
  asked: Asked,
  bounds: Omit<AnswerBounds, 'body'>,
): Promise<StreamedAnswer> {
  const { response, over } = await head(address, asked, bounds)
  over.stopClock()
  const { statusCode: status = 0, headers } = response
  async function* parts() {
    try {
      for await (const part of response) yield part as Buffer
    } catch (error) {
      throw over.reason ?? noAnswer(address, error)
    } finally {
      over.settle()
    }
  }
  return { status, headers, body: parts(), close: over.settle }
}

// One request a connection: none is held beside it, and a server cannot keep one. TLS sessions are taken up again.
const agents = { 'http:': new HttpAgent({ keepAlive: false }), 'https:': new HttpsAgent({ keepAlive: false }) }

/** What ends a request early, and for which reason. */
interface Over {
  readonly reason: NoAnswerError | null
  readonly stopClock: () => void
  /** Closes the connection and lets go of clock and signal. */
  readonly settle: () => void
}

function head(
  address: string,
  { method = 'GET', headers = {}, body, end }: Asked,
  bounds: Omit<AnswerBounds, 'body'>,
): Promise<{ response: IncomingMessage; over: Over }> {
  return new Promise((resolve, reject) => {
    const isSecure = new URL(address).protocol === 'https:'
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const request = (isSecure ? requestHttps : requestHttp)(address, {
      method,
      headers: { ...headers, ...length },
      agent: agents[isSecure ? 'https:' : 'http:'],
      maxHeaderSize: bounds.head,
    })
    const state: { reason: NoAnswerError | null } = { reason: null }
    const leave = (why: string) => () => {
      state.reason ??= new NoAnswerError(`${address} ${why}`)
      settle()
      // Before there is a connection (a name that is looked up), nothing else tells.
      reject(state.reason)
    }
    const onEnd = leave('was not waited for')
    const clock = setTimeout(leave(`did not answer within ${bounds.time / 1000} s`), bounds.time)
    const stopClock = () => {
      clearTimeout(clock)
    }
    const settle = () => {
      stopClock()
      end?.removeEventListener('abort', onEnd)
      request.destroy()
    }
    const over: Over = {
      get reason() {
        return state.reason
      },
      stopClock,
      settle,
    }
    request.on('error', (error) => {
      settle()
      reject(state.reason ?? noAnswer(address, error))
    })
    request.once('response', (response) => {
      const { statusCode: status = 0 } = response
      if (status >= 300 && status < 400 && status !== 304) leave(`answered ${status}, a redirect`)()
      else resolve({ response, over })
    })
    if (end?.aborted === true) onEnd()
    end?.addEventListener('abort', onEnd, { once: true })
    request.end(body)
  })
}

async function wholeBody(address: string, response: IncomingMessage, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of response as AsyncIterable<Buffer>) {
    size += part.length
    if (size > most) throw new NoAnswerError(`${address} sent more than ${sizeText(most)}`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

const sizeText = (bytes: number): string =>
  bytes >= 1024 * 1024 ? `${bytes / 1024 / 1024} MiB` : `${bytes / 1024} KiB`

/** What kept an answer from coming: a name that is not known, a port that is closed, a certificate, a head too long. */
function noAnswer(address: string, error: unknown): NoAnswerError {
  if (error instanceof NoAnswerError) return error
  const { message = '', code = '' } = error as { message?: string; code?: string }
  // Of a name with several addresses there is no message of its own.
  return new NoAnswerError(`${address} cannot be reached: ${message || code || String(error)}`, { cause: error })
}
