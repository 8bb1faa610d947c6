import { EventSourceParserStream } from 'eventsource-parser/stream'

import { UnavailableError } from './errors.ts'

/** Milliseconds without a byte, pings included, after which a connection counts as dead: it may have been cut silently. */
const silence = 60_000
/** Characters of one event, whose end has not come yet: those that agents are told have some fifty. */
const mostOfEvent = 64 * 1024

/**
 * The events of a stream (server-sent events, WHATWG HTML).
 * @param signal ends it. That fetch was given the same one is not enough: its own hold on it is weak and lost with the
 * first collection of garbage after the answer's head (undici, in Node 20), and the program could then not end
 * @throws UnavailableError when it falls silent, breaks or is ended
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<{ event: string; data: string }, void> {
  const [reader, pulse] = withPulse(body, signal)
  const events = reader
    .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
    .pipeThrough(new EventSourceParserStream({ onError: 'terminate', maxBufferSize: mostOfEvent }))
  try {
    for await (const { event, data } of events) yield { event: event ?? 'message', data }
  } catch (error) {
    throw new UnavailableError('the stream of events broke', null, { cause: error })
  } finally {
    pulse.stop()
  }
}

/** The same bytes; fails once none came for a while, or at the signal. */
function withPulse(
  body: ReadableStream<Uint8Array>,
  signal: AbortSignal,
): [ReadableStream<Uint8Array>, { stop: () => void }] {
  const pulse: { timer: NodeJS.Timeout | undefined; end: () => void } = { timer: undefined, end: () => undefined }
  const beat = (controller: TransformStreamDefaultController<Uint8Array>) => {
    clearTimeout(pulse.timer)
    pulse.timer = setTimeout(() => {
      controller.error(new Error('no sign of life'))
    }, silence)
  }
  const watched = new TransformStream<Uint8Array, Uint8Array>({
    start(controller) {
      beat(controller)
      pulse.end = () => {
        controller.error(new Error('ended'))
      }
      if (signal.aborted) pulse.end()
      else signal.addEventListener('abort', pulse.end, { once: true })
    },
    transform(chunk, controller) {
      beat(controller)
      controller.enqueue(chunk)
    },
  })
  const stop = () => {
    clearTimeout(pulse.timer)
    signal.removeEventListener('abort', pulse.end)
  }
  return [body.pipeThrough(watched), { stop }]
}
