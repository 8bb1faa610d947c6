import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp('sqlite', { corsOrigins: ['https://admin.example.com', 'https://other.example.com:8443'] })
})
afterAll(() => app.close())

describe('addresses and methods', () => {
  test.each(['/', '/nope', '/graphql/', '/graphql/x', '/healthz/../..//x', '/%00'])('%s: 404 in JSON', async (path) => {
    const response = await app.fetch(path, { headers: { accept: 'application/json' } })
    expect({ path, status: response.status }).toEqual({ path, status: 404 })
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
  })

  test.each([
    ['PUT', '/graphql', 'GET, HEAD, POST'],
    ['DELETE', '/graphql', 'GET, HEAD, POST'],
    ['OPTIONS', '/graphql', 'GET, HEAD, POST'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['POST', '/readyz', 'GET, HEAD'],
  ])('%s %s: 405 with what is allowed', async (method, path, allow) => {
    const response = await app.fetch(path, { method })
    expect({ status: response.status, allow: response.headers.get('allow') }).toEqual({ status: 405, allow })
  })

  test('HEAD is GET without the body', async () => {
    const [get, head] = [await app.fetch('/healthz'), await app.fetch('/healthz', { method: 'HEAD' })]
    expect(head.status).toBe(200)
    expect(await head.text()).toBe('')
    expect(head.headers.get('content-length')).toBe(get.headers.get('content-length'))
  })
})

describe('every answer', () => {
  const answers = () =>
    Promise.all([
      app.fetch('/healthz'),
      app.fetch('/nope'),
      app.fetch('/graphql', { method: 'PUT' }),
      app.fetch('/graphql?query={__typename}'),
      app.fetch('/graphql', { headers: { accept: 'text/html' } }),
      app.fetch('/bundle'),
    ])

  test('has a request id of its own, not the caller’s', async () => {
    const ids = (await answers()).map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(ids.length)
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}$/)
    const own = await app.fetch('/healthz', { headers: { 'x-request-id': 'mine' } })
    expect(own.headers.get('x-request-id')).not.toBe('mine')
  })

  test('keeps browsers from making more of it than it is', async () => {
    for (const { url, headers } of await answers()) {
      expect({ url, headers: Object.fromEntries(headers) }).toMatchObject({
        headers: {
          'x-content-type-options': 'nosniff',
          'referrer-policy': 'no-referrer',
          'x-frame-options': 'DENY',
          'content-security-policy': expect.stringMatching(/default-src 'none'.*frame-ancestors 'none'/),
          'cache-control': expect.stringMatching(/^(no-store|no-cache)$/),
        },
      })
    }
  })
})

describe('web pages of other origins', () => {
  const corsHeaders = (response: Response) =>
    [...response.headers.keys()].filter((name) => name.startsWith('access-control-'))
  const preflight = (of: TestApp, origin: string) =>
    of.fetch('/graphql', { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } })

  test.each(['https://admin.example.com', 'https://other.example.com:8443'])(
    'of the list may ask: %s',
    async (origin) => {
      const allowed = await preflight(app, origin)
      expect(allowed.status).toBe(204)
      expect(allowed.headers.get('access-control-allow-origin')).toBe(origin)
      expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization')
      expect(allowed.headers.get('access-control-allow-headers')).toContain('x-orrery-csrf')
      const answer = await app.fetch('/healthz', { headers: { origin } })
      expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
      expect(answer.headers.get('vary')).toContain('Origin')
    },
  )

  test.each([
    'https://admin.example.com.evil.test',
    'http://admin.example.com',
    'https://admin.example.com:444',
    'https://evil.test',
    'null',
  ])('that are not listed are told nothing: %s', async (origin) => {
    const refused = await preflight(app, origin)
    expect(refused.status).toBe(405)
    for (const response of [refused, await app.fetch('/healthz', { headers: { origin } })]) {
      expect(corsHeaders(response)).toEqual([])
      expect(response.headers.get('vary')).toContain('Origin')
    }
  })

  test('are told nothing, any of them, when no list is given; credentials are never allowed', async () => {
    const closed = await startApp('sqlite')
    try {
      const origin = 'https://admin.example.com'
      expect(corsHeaders(await preflight(closed, origin))).toEqual([])
      expect(corsHeaders(await closed.fetch('/healthz', { headers: { origin } }))).toEqual([])
      expect(corsHeaders(await preflight(app, origin))).not.toContain('access-control-allow-credentials')
    } finally {
      await closed.close()
    }
  })
})

describe('health', () => {
  const healthy = { database: () => Promise.resolve(), migrations: () => Promise.resolve() }
  const failing = () => Promise.reject(new Error('connection to 10.1.2.3 refused for user orrery'))

  test.each([
    ['both hold', healthy, 200, { status: 'ready', checks: { database: 'ok', migrations: 'ok' } }],
    [
      'the database is gone',
      { ...healthy, database: failing },
      503,
      { status: 'failed', checks: { database: 'failed', migrations: 'ok' } },
    ],
    [
      'migrations are missing',
      { ...healthy, migrations: failing },
      503,
      { status: 'failed', checks: { database: 'ok', migrations: 'failed' } },
    ],
  ])('/readyz when %s', async (_name, health, status, body) => {
    const own = await startApp('sqlite', { health: { checks: health } })
    try {
      own.takeLog()
      const response = await own.fetch('/readyz')
      expect({ status: response.status, body: (await response.json()) as unknown }).toEqual({ status, body })
      const warnings = own.takeLog().filter(({ level }) => level === 40)
      expect(warnings.map(({ error }) => error)).toEqual(
        status === 200 ? [] : [expect.objectContaining({ message: expect.stringContaining('10.1.2.3') })],
      )
      expect((await own.fetch('/healthz')).status).toBe(200)
    } finally {
      await own.close()
    }
  })

  test('/readyz asks once a second, however many ask', async () => {
    let asked = 0
    const database = async () => {
      asked += 1
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
    const own = await startApp('sqlite', { health: { checks: { ...healthy, database } } })
    try {
      await Promise.all(Array.from({ length: 20 }, () => own.fetch('/readyz')))
      await own.fetch('/readyz')
      expect(asked).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 1100))
      await own.fetch('/readyz')
      expect(asked).toBe(2)
    } finally {
      await own.close()
    }
  })

  test('/readyz sends the load elsewhere as soon as the server stops; /healthz does not', async () => {
    const own = await startApp('sqlite')
    try {
      own.app.stop()
      const response = await own.fetch('/readyz')
      expect({ status: response.status, body: (await response.json()) as unknown }).toEqual({
        status: 503,
        body: { status: 'stopping' },
      })
      expect((await own.fetch('/healthz')).status).toBe(200)
    } finally {
      await own.close()
    }
  })
})
