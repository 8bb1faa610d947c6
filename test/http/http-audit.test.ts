import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { serverAudits } from 'graphql-http'

import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
let server: Listening
beforeAll(async () => {
  app = await startApp('sqlite')
  server = await listen(app.app, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  await app.close()
})

/** As an operator's client would: the audits ask for types, which anonymous callers may not, and by GET. */
const fetchFn = (url: string, init: RequestInit = {}) => {
  const headers = new Headers(init.headers)
  headers.set('authorization', `Bearer ${app.operator}`)
  headers.set('x-orrery-csrf', '1')
  return fetch(url, { ...init, headers })
}

const audits = serverAudits({ url: () => `${server.url}/graphql`, fetchFn })

test('the public suite has its 61 audits', () => {
  expect(audits).toHaveLength(61)
})

test.each(audits.map(({ id, name, fn }) => [id, name, fn] as const))(
  'GraphQL over HTTP, %s: %s',
  async (_id, _name, fn) => {
    const result = await fn()
    expect(result).toMatchObject({ status: 'ok' })
  },
)
