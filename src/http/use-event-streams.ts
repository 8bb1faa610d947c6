import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql'
import { isAsyncIterable } from 'graphql-yoga'

import { callerOf } from '../graphql/access.ts'
import type { Frames } from './event-frames.ts'
import { openSource } from './event-source.ts'
import type { GraphqlPlugin } from './graphql-plugin.ts'
import { orRefusal, Response } from './responses.ts'
import type { StreamPlaces } from './stream-places.ts'
import { digestOf } from './strangers.ts'

type Subscribe = (args: ExecutionArgs) => Promise<AsyncIterable<unknown> | ExecutionResult>

/**
 * Takes a subscription that was let through out of Yoga's hands: its answer is a head without a body, and whoever holds
 * the socket writes the events (EventStreams). Yoga's own way costs three times the memory a stream and four times the
 * processor time an event. Without a socket (App.fetch) the events go Yoga's way. On both it holds a place until it ends.
 */
export function useEventStreams(places: StreamPlaces): GraphqlPlugin {
  return {
    onSubscribe({ args, subscribeFn, setSubscribeFn }) {
      setSubscribeFn(async (given: ExecutionArgs) => {
        const { call, session } = args.contextValue
        const credential = digestOf(call.caller.authorization ?? '')
        const place = orRefusal(() => places.take(callerOf(args.contextValue), credential))
        if (place instanceof GraphQLError) return { errors: [place] }
        try {
          if (!call.isOnSocket) return held(await (subscribeFn as Subscribe)(given), place)
          const opened = await openSource(args, { call: call.origin(), session })
          if (!('next' in opened)) return held(opened, place)
          call.events = heldFrames(opened, place)
          return nothing
        } catch (error) {
          place()
          throw error
        }
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

/** The events of a stream on Yoga's way, which give the place back at their end; where there are none, it goes at once. */
function held<Result extends AsyncIterable<unknown> | ExecutionResult>(result: Result, giveBack: () => void): Result {
  if (!isAsyncIterable(result)) {
    giveBack()
    return result
  }
  const events = result[Symbol.asyncIterator]()
  const iterator: AsyncIterator<unknown> = {
    async next() {
      const told = await events.next()
      if (told.done === true) giveBack()
      return told
    },
    async return(value) {
      giveBack()
      return (await events.return?.(value)) ?? { done: true, value: undefined }
    },
  }
  return { [Symbol.asyncIterator]: () => iterator } as Result
}

/** The same on a socket. */
const heldFrames = (frames: Frames, giveBack: () => void): Frames => ({
  async next() {
    const frame = await frames.next()
    if (frame === null) giveBack()
    return frame
  },
  async end() {
    giveBack()
    await frames.end()
  },
})
