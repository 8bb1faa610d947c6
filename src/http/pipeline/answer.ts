/** The events of a subscription, in the form in which they are written to a stream. */
export interface Frames {
  /** The next frame; null at the end. It is called only after the previous frame was written. */
  next(): Promise<Buffer | null>
  /** To be called when the reader has left. */
  end(): Promise<void>
}

/** The answer of a route. */
export interface Answer {
  readonly status: number
  /** By name, in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body: complete pieces, or the frames of a stream. */
  readonly parts: readonly (string | Uint8Array)[] | Frames
}

/** An answer as it is sent. */
export interface FinishedAnswer extends Pick<Answer, 'status' | 'parts'> {
  /** The headers in the form that node:http takes: names and values alternate. */
  readonly head: readonly string[]
  /** Bytes of all parts; null when they are not known. */
  readonly length: number | null
}

/** An answer without a body. */
export const empty = (status: number, headers: Answer['headers'] = {}): Answer => ({ status, headers, parts: [] })

/** A JSON document. */
export const json = (status: number, body: unknown, headers: Answer['headers'] = {}): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  parts: [JSON.stringify(body)],
})

/** A failure outside the GraphQL endpoint, in the shape of a GraphQL error, so that clients need only one shape. */
export const failure = (
  status: number,
  code: string,
  message: string,
  { headers = {}, ...extensions }: { headers?: Answer['headers']; requestId?: string } = {},
): Answer => json(status, { errors: [{ message, extensions: { code, ...extensions } }] }, headers)
