import { createServer, get, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { EventStreams } from '../../src/http/live/event-streams.ts'
import { frameOf } from '../../src/http/live/event-frames.ts'
import type { Frames } from '../../src/http/pipeline/answer.ts'
import { eventually } from '../support/eventually.ts'

const head = { status: 200, head: ['content-type', 'text/event-stream'] }

/** Frames as fast as they are asked for, each as large as a page; counts how many were. */
class Endless implements Frames {
  made = 0
  hasEnded = false
  next(): Promise<Buffer | null> {
    this.made += 1
    return Promise.resolve(frameOf(JSON.stringify({ data: 'x'.repeat(10_000) })))
  }
  end(): Promise<void> {
    this.hasEnded = true
    return Promise.resolve()
  }
}

/** One frame, then nothing for ever. */
class Quiet implements Frames {
  hasEnded = false
  #waiting: ((frame: null) => void) | null = null
  #isFirst = true
  next(): Promise<Buffer | null> {
    if (!this.#isFirst) return new Promise((resolve) => (this.#waiting = resolve))
    this.#isFirst = false
    return Promise.resolve(frameOf(JSON.stringify({ data: 1 })))
  }
  end(): Promise<void> {
    this.hasEnded = true
    this.#waiting?.(null)
    return Promise.resolve()
  }
}

describe('a stream on a socket', () => {
  let streams: EventStreams
  let frames: Map<string, Frames>
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const wanted = frames.get(request.url ?? '')
    if (wanted) streams.open(response, head, wanted)
  })
  /** The readers' ends; one that does not read does not notice that it was cut, and would keep the process alive. */
  const readers: IncomingMessage[] = []
  beforeEach(async () => {
    streams = new EventStreams(5)
    frames = new Map()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    for (const reader of readers.splice(0)) reader.destroy()
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  const connect = async (path: string): Promise<IncomingMessage> => {
    const { port } = server.address() as AddressInfo
    const request = get({ port, host: '127.0.0.1', path, agent: false }).on('error', () => undefined)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    readers.push(response)
    return response.on('error', () => undefined)
  }

  test('for a reader that does not read nothing more is made than its buffers hold, and in the end it is cut', async () => {
    const [stuck, lively] = [new Endless(), new Endless()]
    frames.set('/stuck', stuck).set('/lively', lively)
    const idle = await connect('/stuck')
    idle.pause()
    let before = -1
    while (before !== stuck.made) {
      before = stuck.made
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const other = await connect('/lively')
    other.resume()
    await eventually('the lively one has read much', () => lively.made > 5 * before + 100)
    expect(stuck.made).toBe(before)
    // It has left a minute's signs of life unread (here the minute is short).
    await eventually('the stuck one is cut', () => stuck.hasEnded)
    expect(lively.hasEnded).toBe(false)
    other.destroy()
    await eventually('the one that went has ended', () => lively.hasEnded)
  })

  test('an idle stream is kept open by comments, and its source ends when the reader goes', async () => {
    const quiet = new Quiet()
    frames.set('/quiet', quiet)
    const response = await connect('/quiet')
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    await eventually('four comments', () => text.split(':\n\n').length > 4)
    expect(text).toMatch(/^:\n\nevent: next\ndata: \{"data":1\}\n\n(:\n\n)+$/)
    expect(response.headers['content-type']).toBe('text/event-stream')
    response.destroy()
    await eventually('its end', () => quiet.hasEnded)
  })
})
