import * as z from 'zod'

import { RefusedError, UnauthenticatedError, UnavailableError } from './errors.ts'
import { readEvents } from './events.ts'

/** Milliseconds for one request with its whole answer, the stream of events apart. */
const deadline = 30_000
/** Seconds: the control plane may not send its agents away for longer than this. */
const longestRetryAfter = 3600
/** Bytes of an answer: a slice, the largest of them, has at most this. */
const mostBytes = 10 * 1024 * 1024

const identityShape = z.object({
  node: z.object({ id: z.uuid(), name: z.string().max(255) }),
  certificate: z.string().max(100_000),
  networkCidr: z.string().max(50),
  bundleSigningKey: z.string().max(100),
  clusterId: z.uuid(),
})
const enrolledShape = identityShape.extend({ token: z.string() })

/** What a node is given with its certificate. */
export type Identity = z.infer<typeof identityShape>

const identityFields = 'node { id name } certificate networkCidr bundleSigningKey clusterId'

/** What `GET /bundle` answered. */
export type BundleAnswer =
  | { readonly kind: 'slice'; readonly data: Uint8Array }
  /** Nothing newer than what the agent has. */
  | { readonly kind: 'unchanged' }
  /** No published version has this node yet. */
  | { readonly kind: 'none' }

type Init = Omit<RequestInit, 'headers'> & { readonly headers: Readonly<Record<string, string>> }

/** The control plane's public API, with one credential. */
export class ControlPlaneApi {
  readonly #server: string
  readonly #token: string

  readonly #end: AbortSignal | undefined
  readonly #deadline: number

  /**
   * @param end ends every request, and every answer that is still coming
   * @param bounds.deadline milliseconds for one request with its whole answer
   */
  constructor(server: string, token: string, end?: AbortSignal, bounds: { readonly deadline: number } = { deadline }) {
    this.#server = server
    this.#token = token
    this.#end = end
    this.#deadline = bounds.deadline
  }

  /** Which cluster an enrolment token is for, before anything is done with it; null for a token of another kind. */
  async clusterOfToken(): Promise<string | null> {
    const query = '{ viewer { ... on EnrollingMachine { clusterId } ... on Node { cluster { id } } } }'
    const shape = z.object({
      viewer: z.object({ clusterId: z.uuid().optional(), cluster: z.object({ id: z.uuid() }).optional() }),
    })
    const { viewer } = shape.parse(await this.#graphql(query, {}))
    return viewer.clusterId ?? viewer.cluster?.id ?? null
  }

  async enroll(input: object): Promise<Identity & { token: string }> {
    return enrolledShape.parse(await this.#mutate('enrollNode', input, `${identityFields} token`))
  }

  async renew(publicKey: string): Promise<Identity> {
    return identityShape.parse(await this.#mutate('renewNodeCertificate', { publicKey }, identityFields))
  }

  async report(status: object): Promise<void> {
    await this.#mutate('reportNodeStatus', status, 'node { id }')
  }

  /** @param known the versions that the agent does not want again */
  async bundle(known: readonly number[]): Promise<BundleAnswer> {
    const etags = known.map((version) => `"${version}"`).join(', ')
    const headers: Record<string, string> = etags === '' ? {} : { 'if-none-match': etags }
    return this.#within(async (signal) => {
      const response = await this.#fetch('/bundle', { headers }, signal)
      if (response.status === 304) return { kind: 'unchanged' }
      if (response.status === 404) return { kind: 'none' }
      if (response.ok) return { kind: 'slice', data: await readBytes(response) }
      throw await failureOf(response)
    })
  }

  /**
   * The versions as they are published, the present one first; ends when the control plane ends it.
   * @throws UnauthenticatedError, UnavailableError, RefusedError when the control plane has no such stream
   */
  async *published(signal: AbortSignal): AsyncGenerator<number, void> {
    const query = 'subscription { configPublished { version } }'
    const headers = { 'content-type': 'application/json', accept: 'text/event-stream' }
    const body = JSON.stringify({ query })
    const response = await this.#within((bound) => this.#fetch('/graphql', { method: 'POST', headers, body }, bound))
    if (!response.ok || response.body === null) throw await failureOf(response)
    for await (const { event, data } of readEvents(response.body, signal)) {
      if (event === 'complete') return
      if (event !== 'next') continue
      const { data: payload, errors } = answerShape.parse(JSON.parse(data))
      if (errors !== undefined) throw failureIn(errors)
      yield eventShape.parse(payload).configPublished.version
    }
  }

  async #mutate(name: string, input: object, selection: string): Promise<unknown> {
    const type = name.charAt(0).toUpperCase() + name.slice(1)
    const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
      __typename ... on ${type}Payload { ${selection} } ... on Error { message } } }`
    const data = z
      .record(z.string(), z.looseObject({ __typename: z.string() }))
      .parse(await this.#graphql(query, { input }))
    const payload = data[name]
    if (payload?.__typename === `${type}Payload`) return payload
    throw new RefusedError(`the control plane refused ${name}: ${String(payload?.['message'])}`)
  }

  async #graphql(query: string, variables: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json', accept: 'application/json' }
    const body = JSON.stringify({ query, variables })
    const { status, text } = await this.#within(async (signal) => {
      const response = await this.#fetch('/graphql', { method: 'POST', headers, body }, signal)
      if (response.status >= 500 || response.status === 429) throw await failureOf(response)
      return { status: response.status, text: Buffer.from(await readBytes(response)).toString() }
    })
    const parsed = answerShape.safeParse(jsonOrNull(text))
    if (!parsed.success) throw new UnavailableError(`${this.#server} answered ${status} and no GraphQL`, null)
    if (parsed.data.errors !== undefined) throw failureIn(parsed.data.errors)
    return parsed.data.data
  }

  /**
   * Does a request within its deadline, and not beyond the agent's own end. What it waits for is left at once: fetch
   * holds its signal weakly once the head of an answer is there (undici, in Node 20), so that a body which drips would
   * keep both from ending.
   */
  async #within<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    const stop: { timer?: NodeJS.Timeout; end: () => void } = { end: () => undefined }
    const over = new Promise<never>((_resolve, reject) => {
      const leave = (why: string) => () => {
        reject(new UnavailableError(`${this.#server} ${why}`, null))
        controller.abort()
      }
      stop.timer = setTimeout(leave(`did not answer within ${this.#deadline / 1000} s`), this.#deadline)
      stop.end = leave('was not waited for: the agent ends')
    })
    if (this.#end?.aborted) stop.end()
    this.#end?.addEventListener('abort', stop.end, { once: true })
    try {
      return await Promise.race([work(controller.signal), over])
    } finally {
      clearTimeout(stop.timer)
      this.#end?.removeEventListener('abort', stop.end)
    }
  }

  async #fetch(path: string, init: Init, signal: AbortSignal) {
    try {
      return await fetch(this.#server + path, {
        ...init,
        headers: { ...init.headers, authorization: `Bearer ${this.#token}` },
        // The token goes to this server and to no other that it names.
        redirect: 'error',
        signal,
      })
    } catch (error) {
      throw new UnavailableError(`${this.#server} cannot be reached: ${whyNot(error)}`, null)
    }
  }
}

const answerShape = z.object({
  // Not there when the query itself was refused.
  data: z.unknown().optional(),
  errors: z
    .array(z.object({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).optional() }))
    .min(1)
    .optional(),
})
const eventShape = z.object({ configPublished: z.object({ version: z.int32().positive() }) })

function failureIn(errors: NonNullable<z.infer<typeof answerShape>['errors']>): Error {
  const [first] = errors
  const message = first?.message ?? 'unknown'
  switch (first?.extensions?.code) {
    case 'UNAUTHENTICATED':
      return new UnauthenticatedError('the control plane does not know this token: rotated, or the node was deleted')
    case 'INTERNAL_SERVER_ERROR':
    case 'UNAVAILABLE':
      return new UnavailableError(`the control plane failed: ${message}`, null)
    default:
      return new RefusedError(`the control plane refused: ${message}`)
  }
}

/** What kept fetch from getting an answer: a name that is not known, a port that is closed, a certificate, the deadline. */
function whyNot(error: unknown): string {
  const { cause = error } = error as { cause?: unknown }
  const { message = '', code = '' } = cause as { message?: string; code?: string }
  // Of a name with several addresses there is no message of its own.
  return message || code || String(error)
}

async function failureOf(response: Response): Promise<Error> {
  await response.body?.cancel()
  if (response.status === 401) {
    return new UnauthenticatedError('the control plane does not know this token: rotated, or the node was deleted')
  }
  const message = `the control plane answered ${response.status}`
  if (response.status >= 500 || response.status === 429) {
    return new UnavailableError(message, secondsIn(response.headers.get('retry-after')))
  }
  return new RefusedError(message)
}

/** `Retry-After` (RFC 9110, 10.2.3), in seconds from now and within bounds; null where there is none that can be read. */
function secondsIn(header: string | null): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? null : Math.min(longestRetryAfter, Math.max(0, seconds))
}

async function readBytes(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.byteLength
    if (size > mostBytes) throw new UnavailableError('the control plane sent more than 10 MiB', null)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // A proxy's page, say; the shape of an answer says what is wrong.
    return null
  }
}
