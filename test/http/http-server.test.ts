import { connect, type Socket } from 'node:net'

import { afterEach, describe, expect, test } from '@jest/globals'

import { anonymous } from '../../src/auth/session.ts'
import { listen, type Listening, type ListenOptions } from '../../src/http/server/server.ts'
import { startApp, type OpenOptions, type TestApp } from '../support/app.ts'

const loopback = { host: '127.0.0.1', port: 0 }
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close()
})

async function start(openOptions: OpenOptions = {}, options: Partial<ListenOptions> = {}) {
  const app = await startApp('sqlite', openOptions)
  const server = await listen(app.app, { ...loopback, ...options })
  closers.push(app.close, () => server.close())
  return { app, server }
}

function signal(): { give: () => void; given: Promise<void> } {
  let give: (() => void) | undefined
  const given = new Promise<void>((resolve) => (give = resolve))
  return { give: () => give?.(), given }
}

/** A server whose GraphQL requests wait until they are let go. */
async function startSlow(options: Partial<ListenOptions> = {}) {
  const gate = signal()
  const arrival = signal()
  const authenticate = async () => {
    arrival.give()
    await gate.given
    return anonymous
  }
  return { ...(await start({ authenticate }, options)), letGo: gate.give, arrival: arrival.given }
}

const post = (server: Listening, body = '{"query":"{ __typename }"}') =>
  fetch(`${server.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })

/** Writes to a fresh connection; `text` is all that comes back until the server ends it. */
async function raw(server: Listening, lines: string): Promise<{ socket: Socket; text: Promise<string> }> {
  const socket = connect(Number(new URL(server.url).port), '127.0.0.1')
  const text = new Promise<string>((resolve) => {
    let received = ''
    socket.on('data', (chunk) => (received += chunk.toString()))
    // A connection that is cut ends with an error or without one; what came before counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(received))
  })
  await new Promise<void>((resolve) => socket.once('connect', resolve))
  socket.write(lines)
  return { socket, text }
}

const faults = (app: TestApp) => app.takeLog().filter(({ level }) => level > 30)
const elapsed = async (work: Promise<unknown>) => {
  const begin = performance.now()
  await work
  return performance.now() - begin
}

describe('closing', () => {
  test('lets a running request end, tells its connection to close, and takes no new one', async () => {
    const { app, server, letGo, arrival } = await startSlow()
    const answer = post(server)
    await arrival
    const closed = server.close()
    await expect(fetch(`${server.url}/healthz`)).rejects.toThrow()
    letGo()
    const response = await answer
    // The answer to somebody whom nobody knows, and a whole one.
    expect(response.status).toBe(401)
    expect(response.headers.get('connection')).toBe('close')
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] })
    expect(await elapsed(closed)).toBeLessThan(1000)
    expect(faults(app)).toEqual([])
  })

  test('does not wait for connections that ask nothing', async () => {
    const { server } = await start()
    const used = await raw(server, 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    await new Promise((resolve) => used.socket.once('data', resolve))
    const unused = await raw(server, '')
    expect(await elapsed(server.close())).toBeLessThan(1000)
    expect(await used.text).toContain('Keep-Alive: timeout=75')
    expect(await unused.text).toBe('')
  })

  test('cuts what does not end in time, and says so in the log', async () => {
    const { app, server, arrival, letGo } = await startSlow({ closeTimeout: 200 })
    const answer = post(server).then(
      () => 'answered',
      () => 'cut',
    )
    await arrival
    const duration = await elapsed(server.close())
    expect(duration).toBeGreaterThan(150)
    expect(duration).toBeLessThan(2000)
    expect(await answer).toBe('cut')
    expect(faults(app)).toEqual([expect.objectContaining({ level: 40, requests: 1 })])
    letGo()
  })

  test('twice is once', async () => {
    const { server } = await start()
    await Promise.all([server.close(), server.close()])
  })
})

describe('a client that dawdles', () => {
  const json = 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

  test('with its headers is cut', async () => {
    const { app, server } = await start({}, { headersTimeout: 300, requestTimeout: 600 })
    const { text } = await raw(server, 'POST /graphql HTTP/1.1\r\nHost: x\r\nX-Slow: ')
    expect(await text).toMatch(/^HTTP\/1.1 408 /)
    expect(faults(app)).toEqual([])
  })

  test('with its body is cut, and it is no fault of ours', async () => {
    const { app, server } = await start({}, { headersTimeout: 300, requestTimeout: 300 })
    const { text } = await raw(server, `${json}Content-Length: 100\r\n\r\n{"query":`)
    const duration = await elapsed(text)
    expect(duration).toBeLessThan(5000)
    expect(await text).toMatch(/^(HTTP\/1.1 408 |$)/)
    expect(faults(app)).toEqual([])
  })

  test('and goes away within its body is no fault of ours either', async () => {
    const { app, server } = await start()
    const { socket, text } = await raw(server, `${json}Content-Length: 100\r\n\r\n{"query":`)
    await new Promise((resolve) => setTimeout(resolve, 100))
    socket.destroy()
    await text
    await server.close()
    expect(faults(app)).toEqual([])
  })

  test('and never reads a long answer is cut', async () => {
    const { app, server } = await start({}, { inactivityTimeout: 500 })
    const { socket, text } = await raw(server, 'GET /graphql HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\n\r\n')
    socket.pause()
    await new Promise((resolve) => setTimeout(resolve, 3000))
    socket.resume()
    expect((await text).length).toBeLessThan(8_000_000)
    expect(faults(app)).toEqual([])
  })

  test('without a body, where one is due, is answered at once', async () => {
    const { server } = await start()
    const response = post(server, '')
    expect(await elapsed(response)).toBeLessThan(1000)
    expect((await response).status).toBe(400)
  })
})

describe('a client that sends too much', () => {
  test('reads its 413, and is cut when it does not stop', async () => {
    const { app, server } = await start()
    const { socket, text } = await raw(
      server,
      'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n',
    )
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`
    const timer = setInterval(() => socket.write(chunk), 5)
    const received = await text
    clearInterval(timer)
    expect(received).toMatch(/^HTTP\/1.1 413 /)
    expect(received).toContain('PAYLOAD_TOO_LARGE')
    expect(faults(app)).toEqual([])
  })

  test('of headers gets 431', async () => {
    const { server } = await start()
    const { text } = await raw(server, `GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`)
    expect(await text).toMatch(/^HTTP\/1.1 431 /)
  })
})

describe('a malformed request', () => {
  test.each([
    ['no HTTP at all', 'hello\r\n\r\n'],
    ['a Host that is none', 'GET /graphql HTTP/1.1\r\nHost: [\r\nConnection: close\r\n\r\n'],
    ['no Host', 'GET /graphql HTTP/1.1\r\nConnection: close\r\n\r\n'],
    ['two lengths', 'POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}'],
  ])('with %s gets 400, and nothing of the program’s inside', async (_name, lines) => {
    const { app, server } = await start()
    const { text } = await raw(server, lines)
    expect(await text).toMatch(/^HTTP\/1.1 400 /)
    expect(await text).not.toMatch(/node_modules|\.ts|\bat /)
    expect(faults(app)).toEqual([])
  })
})

test('a port that is taken is an error to the caller', async () => {
  const { app, server } = await start()
  const port = Number(new URL(server.url).port)
  await expect(listen(app.app, { ...loopback, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})
