import { Agent as HttpAgent, request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

/** The limits of an answer: a stranger's server decides everything else about it. */
export interface AnswerBounds {
  /** Bytes of the status line and all header fields. */
  readonly head: number
  /** Bytes of the body, as they arrive. */
  readonly body: number
  /** Milliseconds for all of it, including the name's look-up. */
  readonly time: number
}

export interface Asked {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Aborts the request, and an answer that is still arriving. */
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
  /** Closes the connection, whether the body is read or not. */
  readonly close: () => void
}

/** No answer, or none within its bounds; the message says which server was asked and what went wrong. */
export class NoAnswerError extends Error {
  override readonly name = 'NoAnswerError'
}

/**
 * Makes one HTTP request and reads its whole answer, within bounds. When it returns or throws, the connection is
 * closed: fetch leaves the connection of an endless answer open (undici, in Node 20, forgets the signal after the
 * head). Redirects are not followed: data for one server, above all a token, goes to no other.
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
 * The same for a stream: the bounds of head and time apply to its head alone.
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

// One connection per request: none stays open, and a server cannot keep one open. TLS sessions are resumed.
const agents = { 'http:': new HttpAgent({ keepAlive: false }), 'https:': new HttpsAgent({ keepAlive: false }) }

/** Ends a request early, and records the reason. */
interface Over {
  readonly reason: NoAnswerError | null
  readonly stopClock: () => void
  /** Closes the connection and releases timer and signal. */
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
      // Before there is a connection (during the name's look-up), no other event ends the request.
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

/** The reason why no answer arrived: an unknown name, a closed port, a certificate, a head that is too long. */
function noAnswer(address: string, error: unknown): NoAnswerError {
  if (error instanceof NoAnswerError) return error
  const { message = '', code = '' } = error as { message?: string; code?: string }
  // An error about a name with several addresses has no message of its own.
  return new NoAnswerError(`${address} cannot be reached: ${message || code || String(error)}`, { cause: error })
}
