/** One server-sent event, or a comment (`event` is null), which keeps a connection open. */
export interface ServerSentEvent {
  readonly event: string | null
  readonly data: string
}

/** The events of a stream, in order, as they arrive. */
export async function* eventsOf(response: Response): AsyncGenerator<ServerSentEvent, void> {
  if (!response.body) throw new Error(`HTTP ${response.status} without a body`)
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true })
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) =>
        lines
          .find((line) => line.startsWith(`${name}:`))
          ?.slice(name.length + 1)
          .trim()
      yield { event: field('event') ?? null, data: field('data') ?? '' }
    }
  }
}
