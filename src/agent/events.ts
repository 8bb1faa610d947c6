import { EventSourceParserStream } from 'eventsource-parser/stream'

import { UnavailableError } from './errors.ts'

/** Milliseconds without a byte, pings included, after which a connection counts as dead: it may have been cut silently. */
const silence = 60_000

/** The events of a stream (server-sent events, WHATWG HTML). @throws UnavailableError when it falls silent or breaks */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<{ event: string; data: string }, void> {
  const [reader, pulse] = withPulse(body)
  const events = reader
    .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream({ onError: 'terminate' }))
  try {
    for await (const { event, data } of events) yield { event: event ?? 'message', data }
  } catch (error) {
    throw new UnavailableError('the stream of events broke', null, { cause: error })
  } finally {
    clearTimeout(pulse.timer)
  }
}

/** The same bytes; fails once none came for a while. */
function withPulse(
  body: ReadableStream<Uint8Array>,
): [ReadableStream<Uint8Array>, { timer: NodeJS.Timeout | undefined }] {
  const pulse: { timer: NodeJS.Timeout | undefined } = { timer: undefined }
  const beat = (controller: TransformStreamDefaultController<Uint8Array>) => {
    clearTimeout(pulse.timer)
    pulse.timer = setTimeout(() => {
      controller.error(new Error('no sign of life'))
    }, silence)
  }
  const watched = new TransformStream<Uint8Array, Uint8Array>({
    start: beat,
    transform(chunk, controller) {
      beat(controller)
      controller.enqueue(chunk)
    },
  })
  return [body.pipeThrough(watched), pulse]
}
