import { expect, test } from '@jest/globals'

import { readEvents } from '../../src/agent/events.ts'

/** A stream that a server holds open, and whether whoever read it let go. */
function held(...chunks: string[]) {
  const state = { left: false }
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk))
    },
    cancel() {
      state.left = true
    },
  })
  return { body, state }
}

test('events are read as they come, whatever the chunks', async () => {
  const { body } = held(':\n\nevent: next\nda', 'ta: {"a":1}\n\n')
  const events = readEvents(body, new AbortController().signal)
  expect((await events.next()).value).toEqual({ event: 'next', data: '{"a":1}' })
  await events.return()
})

test.each([
  ['while it waits', false],
  ['before it began', true],
])('the signal ends a stream that is held open, %s, and lets go of the connection', async (_when, isEarly) => {
  const { body, state } = held(':\n\n')
  const end = new AbortController()
  if (isEarly) end.abort()
  const next = readEvents(body, end.signal).next()
  setTimeout(() => {
    end.abort()
  }, 20)
  await expect(next).rejects.toThrow('the stream of events broke')
  expect(state.left).toBe(true)
})
