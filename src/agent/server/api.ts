import {
  boundedRequest,
  boundedStream,
  NoAnswerError,
  type Answer,
  type Asked,
  type StreamedAnswer,
} from '../../base/bounded-request.ts'
import {
  enrolledShape,
  failureIn,
  failureOf,
  identityFields,
  identityShape,
  mutationShape,
  publishedShape,
  resultText,
  viewerShape,
  words,
  type Identity,
} from './answers.ts'
import { bounds } from './bounds.ts'
import { RefusedError, UnavailableError } from '../errors.ts'
import { readEvents } from './events.ts'

/** What `GET /bundle` answered. */
export type BundleAnswer =
  | { readonly kind: 'slice'; readonly data: Uint8Array }
  /** There is nothing newer than what the agent has. */
  | { readonly kind: 'unchanged' }
  /** No published version contains this node yet. */
  | { readonly kind: 'none' }

/** The cluster that a token is for, and its overlay network. */
export interface ClusterOfToken extends Pick<Identity, 'clusterId' | 'networkCidr'> {
  /** UDP; null where the token is not a lighthouse's. */
  readonly lighthousePort: number | null
}

/** The control plane's public API, with one credential. */
export class ControlPlaneApi {
  readonly #server: string
  readonly #token: string
  readonly #end: AbortSignal | undefined
  readonly #deadline: number

  /**
   * @param end aborts every request, and every answer that is still arriving
   * @param limits.deadline milliseconds for one request with its whole answer
   */
  constructor(
    server: string,
    token: string,
    end?: AbortSignal,
    limits: { readonly deadline: number } = { deadline: bounds.request },
  ) {
    this.#server = server
    this.#token = token
    this.#end = end
    this.#deadline = limits.deadline
  }

  /** Finds out which cluster a token is for, before it is used; null for another kind of token. */
  async clusterOfToken(): Promise<ClusterOfToken | null> {
    const query = `{ viewer { ... on EnrollingMachine { clusterId networkCidr }
      ... on Node { isLighthouse port: lighthousePort cluster { id networkCidr lighthousePort } } } }`
    const { viewer } = viewerShape.parse(await this.#graphql(query, {}))
    if (viewer.cluster) {
      const { id, networkCidr: network, lighthousePort } = viewer.cluster
      const port = viewer.isLighthouse === true ? (viewer.port ?? lighthousePort) : null
      return { clusterId: id, networkCidr: network, lighthousePort: port }
    }
    const { clusterId, networkCidr } = viewer
    return clusterId === undefined || networkCidr === undefined
      ? null
      : { clusterId, networkCidr, lighthousePort: null }
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
    const answer = await this.#whole('/bundle', { headers }, bounds.slice)
    switch (answer.status) {
      case 200:
        return { kind: 'slice', data: answer.body }
      case 304:
        return { kind: 'unchanged' }
      case 404:
        return { kind: 'none' }
      default:
        throw failureOf(answer, answer.body)
    }
  }

  /**
   * The versions as they are published, the present one first; ends when the control plane ends the stream.
   * @throws UnauthenticatedError, UnavailableError, RefusedError when the control plane has no such stream
   */
  async *published(): AsyncGenerator<number, void> {
    const query = 'subscription { configPublished { version } }'
    const stream = await this.#stream('/graphql', posted({ query }, 'text/event-stream'))
    const isStream = stream.headers['content-type']?.startsWith('text/event-stream') === true
    if (stream.status !== 200 || !isStream) {
      stream.close()
      throw stream.status === 200
        ? new UnavailableError(`${this.#server} sent no stream of events`, null)
        : failureOf(stream)
    }
    for await (const { event, data } of readEvents(stream)) {
      if (event === 'complete') return
      if (event !== 'next') continue
      const result = resultText.parse(data)
      if (result.errors !== undefined) throw failureIn(result.errors)
      yield publishedShape.parse(result.data).configPublished.version
    }
  }

  async #mutate(name: string, input: object, selection: string): Promise<unknown> {
    const type = name.charAt(0).toUpperCase() + name.slice(1)
    const query = `mutation ($input: ${type}Input!) { ${name}(input: $input) {
      __typename ... on ${type}Payload { ${selection} } ... on Error { message } } }`
    const payload = mutationShape.parse(await this.#graphql(query, { input }))[name]
    if (payload?.__typename === `${type}Payload`) return payload
    throw new RefusedError(`the control plane refused ${name}: ${words(payload?.message)}`)
  }

  async #graphql(query: string, variables: object): Promise<unknown> {
    const answer = await this.#whole('/graphql', posted({ query, variables }, 'application/json'), bounds.graphql)
    const { status, body } = answer
    if (status >= 500 || status === 429) throw failureOf(answer)
    const parsed = resultText.safeParse(body.toString())
    if (!parsed.success) throw new UnavailableError(`${this.#server} answered ${status} and no GraphQL`, null)
    if (parsed.data.errors !== undefined) throw failureIn(parsed.data.errors)
    return parsed.data.data
  }

  #whole(path: string, asked: Asked, body: number): Promise<Answer> {
    const limits = { head: bounds.head, body, time: this.#deadline }
    return answered(boundedRequest(this.#server + path, this.#signed(asked), limits))
  }

  #stream(path: string, asked: Asked): Promise<StreamedAnswer> {
    const limits = { head: bounds.head, time: this.#deadline }
    return answered(boundedStream(this.#server + path, this.#signed(asked), limits))
  }

  #signed({ headers, ...asked }: Asked): Asked {
    return { ...asked, headers: { ...headers, authorization: `Bearer ${this.#token}` }, end: this.#end }
  }
}

function posted(content: object, accept: string): Asked {
  const headers = { 'content-type': 'application/json', accept }
  return { method: 'POST', headers, body: JSON.stringify(content) }
}

/** @throws UnavailableError when there was no answer */
async function answered<T>(asking: Promise<T>): Promise<T> {
  try {
    return await asking
  } catch (error) {
    if (!(error instanceof NoAnswerError)) throw error
    throw new UnavailableError(error.message, null)
  }
}
