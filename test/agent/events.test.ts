import { expect, test } from '@jest/globals'

import { readEvents } from '../../src/agent/server/events.ts'

/** A stream that a server holds open behind what it sent, and whether whoever read it let go. */
function held(...parts: string[]) {
  const state = { left: false }
  let leave: (reason: Error) => void = () => undefined
  const end = new Promise<never>((_resolve, reject) => (leave = reject))
  // Whether anybody reads that far or not.
  end.catch(() => undefined)
  async function* body() {
    yield* parts.map((part) => Buffer.from(part))
    await end
  }
  const close = () => {
    state.left = true
    leave(new Error('closed'))
  }
  return { stream: { body: body(), close }, state }
}

test('events are read as they come, whatever the chunks', async () => {
  const { stream, state } = held(':\n\nevent: next\nda', 'ta: {"a":1}\n\n')
  const events = readEvents(stream)
  expect((await events.next()).value).toEqual({ event: 'next', data: '{"a":1}' })
  await events.return()
  expect(state.left).toBe(true)
})

test('a stream that falls silent is left, with its connection', async () => {
  const { stream, state } = held(':\n\n')
  await expect(readEvents(stream, { silence: 20 }).next()).rejects.toMatchObject({
    message: 'the stream of events broke',
    cause: { message: 'no sign of life' },
  })
  expect(state.left).toBe(true)
})
