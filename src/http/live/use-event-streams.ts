import { GraphQLError, type ExecutionArgs, type ExecutionResult } from 'graphql'

import { callerOf } from '../../graphql/kit/access.ts'
import { openSource } from './event-source.ts'
import type { GraphqlPlugin, ServerContext } from '../graphql/graphql-plugin.ts'
import { orRefusal } from '../pipeline/refusals.ts'
import type { StreamPlaces } from './stream-places.ts'
import { digestOf } from '../pipeline/strangers.ts'
import type { Frames } from '../pipeline/answer.ts'

type Asked = ExecutionArgs & { readonly contextValue: ServerContext }

/**
 * Opens the source of a subscription that was let through: its answer is the source's frames, which whoever holds the
 * socket writes (event-streams.ts). Yoga's own way costs three times the memory a stream and four times the processor
 * time an event. A stream holds a place until it ends.
 */
export function useEventStreams(places: StreamPlaces): GraphqlPlugin {
  return {
    onSubscribe({ setSubscribeFn }) {
      setSubscribeFn((args: ExecutionArgs) => subscribe(args as Asked, places))
    },
  }
}

async function subscribe(args: Asked, places: StreamPlaces): Promise<AsyncIterable<never> | ExecutionResult> {
  const { contextValue: context } = args
  const { call, session } = context
  const credential = digestOf(call.caller.authorization ?? '')
  const place = orRefusal(() => places.take(callerOf(context), credential))
  if (place instanceof GraphQLError) return { errors: [place] }
  try {
    const opened = await openSource(args, { call: call.origin(), session })
    if ('next' in opened) {
      context.events = holding(opened, place)
      return nothing
    }
    place()
    return opened
  } catch (error) {
    place()
    throw error
  }
}

/** Stands for the events on the rest of Yoga's way. */
const nothing: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}

/** The frames of a stream, which give its place back at their end. */
const holding = (frames: Frames, giveBack: () => void): Frames => ({
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
