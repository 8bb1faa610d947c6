import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, test } from '@jest/globals'

import { ControlPlaneApi } from '../../src/agent/api.ts'
import { UnavailableError } from '../../src/agent/errors.ts'
import { Bell } from '../../src/agent/waiting.ts'

/** What a control plane in bad hands, or a proxy in front of it, may answer; and what comes of it on the machine. */
describe('an agent that is answered by somebody who means it ill', () => {
  let server: Server | null = null
  afterEach(() => {
    server?.closeAllConnections()
    server?.close()
  })

  async function apiOf(
    answer: RequestListener,
    { end, deadline = 30_000 }: { end?: AbortSignal; deadline?: number } = {},
  ) {
    server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new ControlPlaneApi(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 'orn_x', end, { deadline })
  }

  const inTwoHours = new Date(Date.now() + 7_200_000).toUTCString()
  test.each([
    ['99999999999', 3600],
    ['1e400', null],
    ['-5', 0],
    ['NaN', null],
    ['17', 17],
    [inTwoHours, 3600],
    ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ])('Retry-After: %s keeps it away for %p seconds', async (header, seconds) => {
    const api = await apiOf((_request, response) => response.writeHead(503, { 'retry-after': header }).end())
    const error: unknown = await api.bundle([]).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnavailableError)
    const { retryAfter } = error as UnavailableError
    // -5 is a date to some parsers, long ago.
    expect(retryAfter === null ? null : Math.round(retryAfter)).toBe(seconds)
  })

  test('a wait that is too long for a timer is a long wait, and not none', async () => {
    const bell = new Bell()
    let isOver = false
    const waiting = bell.wait(1e15).then(() => (isOver = true))
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(isOver).toBe(false)
    bell.ring()
    await waiting
  })

  /** A head, and a byte every few milliseconds for ever. */
  const dripping: RequestListener = (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const drip = setInterval(() => response.write(' '), 5)
    response.once('close', () => clearInterval(drip))
  }

  test('a body that drips for ever is left at the deadline', async () => {
    const api = await apiOf(dripping, { deadline: 100 })
    await expect(api.bundle([])).rejects.toThrow('did not answer within 0.1 s')
    await expect(api.report({})).rejects.toThrow('did not answer within 0.1 s')
  })

  test('a body that drips for ever does not keep the agent from ending', async () => {
    const end = new AbortController()
    const api = await apiOf(dripping, { end: end.signal })
    const asking = api.bundle([])
    setTimeout(() => end.abort(), 50)
    await expect(asking).rejects.toThrow('the agent ends')
  })

  test('a body without an end is cut at 10 MiB', async () => {
    const api = await apiOf((_request, response) => {
      response.writeHead(200)
      const chunk = Buffer.alloc(256 * 1024, 'x')
      const push = (): boolean => response.writable && response.write(chunk) && push()
      response.on('drain', push)
      push()
    })
    await expect(api.bundle([])).rejects.toThrow('more than 10 MiB')
  })

  test.each([
    ['a line', 'x'.repeat(16_384)],
    ['an event of short lines', 'data: x\n'.repeat(2048)],
  ])('%s without an end ends the stream after some 64 KiB', async (_name, part) => {
    let sent = 0
    const api = await apiOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: ')
      const push = setInterval(() => {
        sent += 16_384
        response.write(part)
      }, 1)
      response.once('close', () => clearInterval(push))
    })
    const events = api.published(new AbortController().signal)
    await expect(events.next()).rejects.toThrow('the stream of events broke')
    expect(sent).toBeLessThan(4 * 1024 * 1024)
  })

  test.each([0, -1, 1.5, 2 ** 31, 1e300])('version %p of an event is none', async (version) => {
    const api = await apiOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: next\ndata: ${JSON.stringify({ data: { configPublished: { version } } })}\n\n`)
    })
    await expect(api.published(new AbortController().signal).next()).rejects.toThrow(/version/)
  })
})
