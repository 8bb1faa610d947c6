import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

import { afterEach, describe, expect, test } from '@jest/globals'

import { ControlPlaneApi } from '../../src/agent/server/api.ts'
import { RefusedError, UnavailableError } from '../../src/agent/errors.ts'
import { Bell } from '../../src/agent/server/waiting.ts'
import { lineProblem } from '../../src/base/texts/text.ts'
import { eventually } from '../support/eventually.ts'

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

  test('whatever rings, and how often: the next look comes after a while', async () => {
    const bell = new Bell()
    const ringing = setInterval(() => bell.ring(), 1)
    const start = performance.now()
    for (let look = 0; look < 4; look += 1) await bell.wait(10_000, 50)
    clearInterval(ringing)
    // Timers may be early by a millisecond.
    expect(performance.now() - start).toBeGreaterThan(4 * 48)
  })

  test.each([
    ['an error', { errors: [{ message: 'X' }] }],
    ['a refusal', { data: { reportNodeStatus: { __typename: 'ValidationError', message: 'X' } } }],
  ])('%s is a line of 500 characters that no terminal obeys', async (_what, answer) => {
    const evil = `a\u001b]0;owned\u0007\r\n\u202e${'b'.repeat(100_000)}`
    const text = JSON.stringify(answer).replace('"X"', JSON.stringify(evil))
    const api = await apiOf((_request, response) => response.end(text))
    const error: unknown = await api.report({}).catch((reason: unknown) => reason)
    const { message } = error as Error
    expect(error).toBeInstanceOf(RefusedError)
    expect(lineProblem(message)).toBeNull()
    expect(message).toContain('a\\u001b]0;owned\\u0007 \\u202ebbb')
    expect(message.length).toBeLessThan(600)
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

  /** Connections that are open at the server. */
  const open = (): Promise<number> =>
    new Promise((resolve, reject) =>
      server === null
        ? resolve(0)
        : server.getConnections((error, count) => (error === null ? resolve(count) : reject(error))),
    )
  const untilClosed = () => eventually('no connection is open', open, (count) => count === 0)

  test('a body that drips for ever is left at the deadline, with its connection', async () => {
    const api = await apiOf(dripping, { deadline: 100 })
    await expect(api.bundle([])).rejects.toThrow('did not answer within 0.1 s')
    await expect(api.report({})).rejects.toThrow('did not answer within 0.1 s')
    await expect(api.published().next()).rejects.toThrow('sent no stream of events')
    await untilClosed()
  })

  test('a head that drips for ever is left at the deadline, with its connection', async () => {
    const api = await apiOf(
      (_request, { socket }) => {
        socket?.write('HTTP/1.1 200 OK\r\n')
        const drip = setInterval(() => socket?.write('x: y\r\n'), 20)
        socket?.once('close', () => clearInterval(drip))
      },
      { deadline: 100 },
    )
    await expect(api.bundle([])).rejects.toThrow('did not answer within 0.1 s')
    await expect(api.published().next()).rejects.toThrow('did not answer within 0.1 s')
    await untilClosed()
  })

  test('a head is read for 16 KiB', async () => {
    const api = await apiOf((_request, response) => response.writeHead(200, { x: 'y'.repeat(17 * 1024) }).end())
    await expect(api.bundle([])).rejects.toThrow('Header overflow')
    await untilClosed()
  })

  test.each([301, 302, 307, 308])('a redirect (%p) leads nowhere, and the token with it', async (status) => {
    let asked = 0
    const elsewhere = createServer((_request, response) => {
      asked += 1
      response.end('{}')
    }).listen(0, '127.0.0.1')
    await once(elsewhere, 'listening')
    const location = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`
    const api = await apiOf((_request, response) => response.writeHead(status, { location }).end())
    await expect(api.bundle([])).rejects.toThrow(`answered ${status}, a redirect`)
    await expect(api.report({})).rejects.toThrow(UnavailableError)
    elsewhere.close()
    expect(asked).toBe(0)
  })

  test('a body that drips for ever does not keep the agent from ending', async () => {
    const end = new AbortController()
    const api = await apiOf(dripping, { end: end.signal })
    const asking = api.bundle([])
    setTimeout(() => end.abort(), 50)
    await expect(asking).rejects.toThrow('was not waited for')
    await untilClosed()
  })

  test('a stream that is held open does not keep the agent from ending', async () => {
    const end = new AbortController()
    const held: RequestListener = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).write(':\n\n')
    const api = await apiOf(held, { end: end.signal })
    const next = api.published().next()
    setTimeout(() => end.abort(), 50)
    await expect(next).rejects.toThrow('the stream of events broke')
    await untilClosed()
  })

  /** Without an end, as fast as it is taken; what the sockets hold counts as sent. */
  const endless =
    (sent: { bytes: number }, part = Buffer.alloc(256 * 1024, ' '), type = 'application/json'): RequestListener =>
    (_request, response) => {
      response.writeHead(200, { 'content-type': type })
      const push = (): void => {
        while (!response.destroyed && sent.bytes < 256 * 1024 * 1024) {
          sent.bytes += part.length
          if (!response.write(part)) return
        }
      }
      response.on('drain', push)
      push()
    }

  test.each<[string, (api: ControlPlaneApi) => Promise<unknown>, number]>([
    ['a slice', (api) => api.bundle([]), 10],
    ['an answer of GraphQL’s', (api) => api.report({}), 1],
  ])('%s without an end is cut, with its connection', async (_what, ask, most) => {
    const sent = { bytes: 0 }
    const api = await apiOf(endless(sent))
    await expect(ask(api)).rejects.toThrow(`sent more than ${most} MiB`)
    await untilClosed()
    expect(sent.bytes).toBeLessThan((most + 16) * 1024 * 1024)
  })

  test.each([
    ['pings', ':\n\n'],
    ['events of a kind that nobody knows', 'event: x\ndata: y\n\n'],
  ])('a stream that floods the agent with %s is cut after a mebibyte', async (_what, text) => {
    const sent = { bytes: 0 }
    const api = await apiOf(endless(sent, Buffer.from(text.repeat(4096)), 'text/event-stream'))
    await expect(api.published().next()).rejects.toMatchObject({
      cause: { message: 'more came within a minute than it may send' },
    })
    await untilClosed()
    expect(sent.bytes).toBeLessThan(16 * 1024 * 1024)
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
    await expect(api.published().next()).rejects.toThrow('the stream of events broke')
    expect(sent).toBeLessThan(4 * 1024 * 1024)
  })

  test.each([0, -1, 1.5, 2 ** 31, 1e300])('version %p of an event is none', async (version) => {
    const api = await apiOf((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`event: next\ndata: ${JSON.stringify({ data: { configPublished: { version } } })}\n\n`)
    })
    await expect(api.published().next()).rejects.toThrow(/version/)
  })
})
