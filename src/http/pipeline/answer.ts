/** A subscription's events as they are written to a stream. */
export interface Frames {
  /** The next frame; null at the end. It is asked for when the one before has been taken. */
  next(): Promise<Buffer | null>
  /** Nobody reads any more. */
  end(): Promise<void>
}

/** What a route answers with. */
export interface Answer {
  readonly status: number
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The body: pieces that are there, or a stream's frames as they come. */
  readonly parts: readonly (string | Uint8Array)[] | Frames
}

/** An answer as it is sent. */
export interface FinishedAnswer extends Pick<Answer, 'status' | 'parts'> {
  /** Its headers as node:http takes them: names and values in turn. */
  readonly head: readonly string[]
  /** Bytes of all parts; null where they are not known. */
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

/** A failure outside of the GraphQL endpoint, in the shape that GraphQL's errors have, so that clients know one shape. */
export const failure = (
  status: number,
  code: string,
  message: string,
  { headers = {}, ...extensions }: { headers?: Answer['headers']; requestId?: string } = {},
): Answer => json(status, { errors: [{ message, extensions: { code, ...extensions } }] }, headers)
