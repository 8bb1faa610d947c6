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
 * Opens the source of a subscription that was admitted. Its answer consists of the source's frames, which the owner of
 * the socket writes (event-streams.ts). Yoga's own streams take three times the memory per stream and four times the
 * processor time per event. A stream holds a place until it ends.
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

/** Takes the place of the events for the rest of Yoga's processing. */
const nothing: AsyncIterable<never> = {
  [Symbol.asyncIterator]: () => ({ next: () => Promise.resolve({ done: true, value: undefined }) }),
}

/** The frames of a stream; their end gives back the stream's place. */
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
