import { openSource } from './event-source.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { Response } from './responses.ts'

/**
 * Takes a subscription that was let through out of Yoga's hands: its answer is a head without a body, and whoever holds
 * the socket writes the events (EventStreams). Yoga's own way costs three times the memory a stream and four times the
 * processor time an event. Without a socket (App.fetch) the events go Yoga's way.
 */
export function useEventStreams(): GraphqlPlugin {
  return {
    onSubscribe({ args, setSubscribeFn }) {
      const { call, session } = args.contextValue
      if (!call.isOnSocket) return
      setSubscribeFn(async () => {
        const opened = await openSource(args, {
          call: call.origin(),
          session,
        })
        if (!('next' in opened)) return opened
        call.events = opened
        return nothing
      })
    },
    onResultProcess(payload) {
      const { call } = payload.serverContext
      // There is a processor where the client takes what it gives: of streams, that is server-sent events.
      if (call.events === null || !payload.resultProcessor) return
      payload.setResultProcessor(() => new Response(null, { headers }), 'text/event-stream')
    },
  }
}

const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', 'x-accel-buffering': 'no' }

/** Stands for the events on the rest of Yoga's way. */
const nothing: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}
