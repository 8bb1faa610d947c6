import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { mintJwt } from '../../src/auth/jwt.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

/** Sends the bytes of a request's head as they are and returns the status; clients would mend the address. */
async function statusOf(url: string, head: string): Promise<number> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.write(head)
  let answer = ''
  for await (const chunk of socket.setEncoding('latin1')) answer += String(chunk)
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
}

describe.each(engines)('odd addresses and claims on %s', (engine) => {
  let app: TestApp
  let world: World
  let server: Listening
  beforeAll(async () => {
    app = await startApp(engine)
    world = await createWorld(app, 'hostile', randomUUID())
    server = await listen(app.app, { host: '127.0.0.1', port: 0 })
  })
  afterAll(async () => {
    await server.close()
    await app.close()
  })

  const bundles = () => `/clusters/${world.clusterId}/bundles`
  test.each<[string, () => string]>([
    ['a NUL', () => '/clusters/%00/bundles/1'],
    ['half a surrogate pair', () => '/clusters/%ED%A0%80/bundles/1'],
    ['a lone %', () => '/clusters/%/bundles/1'],
    ['a broken escape', () => '/%zz'],
    ['two slashes', () => '//'],
    ['two slashes and a host', () => '//example.com/graphql'],
    ['a port that is none', () => '//a:99999999/graphql'],
    ['another scheme', () => 'http://[::/graphql'],
    ['the absolute form', () => 'http://example.com/clusters/x/bundles/1'],
    ['a star', () => '*'],
    ['no slash', () => 'graphql'],
    ['a backslash', () => '/\\..\\graphql'],
    ['dots', () => '/../../etc/passwd'],
    ['a long path', () => `/${'a'.repeat(12_000)}`],
    ['a path beyond the head', () => `/${'a'.repeat(40_000)}`],
    ['a version of 0', () => `${bundles()}/0`],
    ['a version of nine digits', () => `${bundles()}/999999999`],
    ['a version beyond int4', () => `${bundles()}/2147483648`],
    ['a version of a hundred digits', () => `${bundles()}/${'9'.repeat(100)}`],
    ['a version in other digits', () => `${bundles()}/%D9%A1`],
    ['a fragment', () => `${bundles()}/1#1`],
    ['variables that are none', () => '/graphql?query={viewer{__typename}}&variables=%00'],
  ])('%s in an address is refused as a mistake of the caller', async (_name, path) => {
    for (const method of ['GET', 'HEAD', 'POST']) {
      const length = method === 'POST' ? 'content-type: application/json\r\ncontent-length: 0\r\n' : ''
      const head = `${method} ${path()} HTTP/1.1\r\nhost: orrery.test\r\nauthorization: Bearer ${world.admin}\r\nx-orrery-csrf: 1\r\n${length}connection: close\r\n\r\n`
      const status = await statusOf(server.url, head)
      expect({ method, status, isRefused: status >= 400 && status < 500 }).toEqual({ method, status, isRefused: true })
    }
  })

  test.each([
    ['a NUL', 'olga\u0000'],
    ['half of a surrogate pair', 'olga\ud800'],
    ['the half of a pair that a cut leaves', `${'o'.repeat(254)}\u{1f600}`],
    ['an end of a line', 'olga\nroot'],
  ])('a subject with %s can change things, or is nobody', async (_name, subject) => {
    const token = await mintJwt(app.keys.jwt, { role: 'operator' }, { subject, lifetime: 3600 })
    const made = await app.answer(
      token,
      'mutation ($input: UpdateClusterLighthouseInput!) { updateClusterLighthouse(input: $input) { __typename } }',
      { input: { clusterId: world.clusterId, lighthousePort: 4000 + subject.length } },
    )
    expect([200, 401]).toContain(made.status)
    expect(JSON.stringify(made)).not.toContain('INTERNAL_SERVER_ERROR')
  })

  test.each([['\u0000'], ['\ud800'], ['x'.repeat(5000)], ["' OR 1=1 --"]])(
    'a tenant claim that is no id (%j) is nobody',
    async (tenantId) => {
      const token = await mintJwt(app.keys.jwt, { role: 'admin', tenantId }, { subject: 'tina', lifetime: 3600 })
      expect((await app.answer(token, '{ viewer { __typename } }')).status).toBe(401)
    },
  )
})
