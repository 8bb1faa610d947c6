import { createParser, type EventSourceMessage } from 'eventsource-parser'

import type { StreamedAnswer } from '../../base/bounded-request.ts'
import { bounds } from './bounds.ts'
import { UnavailableError } from '../errors.ts'

/**
 * The events of a stream (server-sent events, WHATWG HTML).
 * @param limits for tests, which cannot wait for a minute
 * @throws UnavailableError when it falls silent, breaks, is ended, or sends more than it may
 */
export async function* readEvents(
  { body, close }: Pick<StreamedAnswer, 'body' | 'close'>,
  limits: { readonly silence: number } = bounds.stream,
): AsyncGenerator<{ event: string; data: string }, void> {
  const events: EventSourceMessage[] = []
  const state: { fault: Error | null } = { fault: null }
  const fail = (fault: Error) => {
    state.fault ??= fault
  }
  const parser = createParser({
    maxBufferSize: bounds.stream.event,
    onEvent: (event) => events.push(event),
    onError: fail,
  })
  const decoder = new TextDecoder()
  const meter = new Meter(bounds.stream.minute)
  const onSilence = () => {
    fail(new Error('no sign of life'))
    close()
  }
  let silence = setTimeout(onSilence, limits.silence)
  try {
    for await (const part of body) {
      clearTimeout(silence)
      silence = setTimeout(onSilence, limits.silence)
      if (!meter.take(part.length)) throw new Error('more came within a minute than it may send')
      parser.feed(decoder.decode(part, { stream: true }))
      for (const { event, data } of events.splice(0)) yield { event: event ?? 'message', data }
      if (state.fault !== null) throw state.fault
    }
  } catch (error) {
    throw new UnavailableError('the stream of events broke', null, { cause: state.fault ?? error })
  } finally {
    clearTimeout(silence)
    close()
  }
}

/** Counts what arrives within a minute. */
class Meter {
  readonly #most: number
  #since = performance.now()
  #taken = 0

  constructor(most: number) {
    this.#most = most
  }

  /** Whether that much more may arrive. */
  take(amount: number): boolean {
    const now = performance.now()
    if (now - this.#since > 60_000) {
      this.#since = now
      this.#taken = 0
    }
    this.#taken += amount
    return this.#taken <= this.#most
  }
}
