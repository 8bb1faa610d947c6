import { createSourceEventStream, execute, type ExecutionArgs, type ExecutionResult } from 'graphql'

import { detached, type Context } from '../../graphql/kit/context.ts'
import { sharesAnswers } from '../../graphql/kit/shared-answers.ts'
import { asGraphqlError, withPresentedErrors, type Origin } from '../graphql/errors.ts'
import { frameOf } from './event-frames.ts'
import { textOf } from '../graphql/results.ts'
import type { Frames } from '../pipeline/answer.ts'

/** The operation of a subscription; without variables, all subscribers with the same document share it. */
interface Operation extends Pick<ExecutionArgs, 'schema' | 'document' | 'variableValues' | 'operationName'> {
  readonly isShared: boolean
}

/** Frames by event and by document: made once for all subscribers with the same document. */
const sharedFrames = new WeakMap<object, WeakMap<object, Promise<Buffer>>>()

/**
 * An admitted subscription, detached from its request. It keeps only what is needed to answer each event, since there
 * are thousands of subscriptions.
 */
export class EventSource implements Frames {
  readonly #events: AsyncIterator<unknown>
  readonly #operation: Operation
  readonly #context: Context
  readonly #origin: Origin

  constructor(events: AsyncIterable<unknown>, args: ExecutionArgs & { contextValue: Context }, origin: Origin) {
    const { schema, document, operationName = null, contextValue } = args
    const variableValues: Readonly<Record<string, unknown>> = args.variableValues ?? {}
    const isShared = Object.keys(variableValues).length === 0 && sharesAnswers(schema, document)
    this.#events = events[Symbol.asyncIterator]()
    this.#operation = operationOf(document, { schema, document, variableValues, operationName, isShared })
    this.#context = detached(contextValue)
    this.#origin = origin
  }

  /** The frame of the next event; null at the end. An error becomes the last event. */
  async next(): Promise<Buffer | null> {
    try {
      const told = await this.#events.next()
      return told.done === true ? null : await this.#frame(told.value as object)
    } catch (error) {
      await this.end()
      return this.#written({ errors: [asGraphqlError(error)] })
    }
  }

  /** To be called when the reader has left. */
  async end(): Promise<void> {
    await this.#events.return?.()
  }

  #frame(event: object): Promise<Buffer> {
    const { isShared, document } = this.#operation
    if (!isShared) return this.#answer(event)
    let frames = sharedFrames.get(event)
    if (!frames) sharedFrames.set(event, (frames = new WeakMap()))
    let frame = frames.get(document)
    if (!frame) frames.set(document, (frame = this.#answer(event)))
    return frame
  }

  async #answer(rootValue: object): Promise<Buffer> {
    const contextValue = detached(this.#context)
    const result = await execute({ ...this.#operation, rootValue, contextValue })
    return this.#written(result)
  }

  #written(result: ExecutionResult): Buffer {
    return frameOf(textOf(withPresentedErrors(result, this.#origin)))
  }
}

/** One object for all subscriptions of a document without variables. */
const operations = new WeakMap<object, Operation>()

function operationOf(document: object, operation: Operation): Operation {
  if (!operation.isShared) return operation
  const known = operations.get(document)
  if (known?.operationName === operation.operationName) return known ?? operation
  operations.set(document, operation)
  return operation
}

/**
 * GraphQL's `subscribe`, without its mapping of events to answers.
 * @returns the source, or the errors that prevented it
 */
export async function openSource(
  args: ExecutionArgs & { contextValue: Context },
  origin: Origin,
): Promise<EventSource | ExecutionResult> {
  const events = await createSourceEventStream(args)
  return Symbol.asyncIterator in events ? new EventSource(events, args, origin) : events
}
