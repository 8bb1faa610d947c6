import { randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { fileLimit, formLimit } from '../../src/http/uploads/upload-form.ts'
import { startApp, type GraphqlAnswer, type TestApp } from '../support/app.ts'
import { probeSchema } from '../support/probe-schema.ts'

let app: TestApp
const tenantId = randomUUID()
beforeAll(async () => {
  app = await startApp('sqlite', { schema: probeSchema })
  await app.database.client.tenant.create({ data: { id: tenantId, name: 'Acme' } })
})
afterAll(() => app.close())

const query = 'mutation ($file: File!) { upload(file: $file) }'
const operations = JSON.stringify({ query, variables: { file: null } })
const map = JSON.stringify({ 0: ['variables.file'] })
const fileOf = (bytes: number) => new File([new Uint8Array(bytes)], 'bundle.tar.gz')

function form(parts: Record<string, string | File>): FormData {
  const data = new FormData()
  for (const [name, value] of Object.entries(parts)) data.set(name, value)
  return data
}

async function send(body: NonNullable<RequestInit['body']>, headers: Record<string, string> = {}) {
  const init = { authorization: `Bearer ${app.operator}`, 'x-orrery-csrf': '1', ...headers }
  const response = await app.fetch('/graphql', { method: 'POST', headers: init, body })
  const answer = (await response.json()) as GraphqlAnswer
  const [error] = answer.errors ?? []
  return { status: response.status, data: answer.data, code: error?.extensions?.code, message: error?.message }
}

describe('an upload', () => {
  test('reaches the resolver as a file', async () => {
    expect(await send(form({ operations, map, 0: fileOf(12_345) }))).toMatchObject({
      status: 200,
      data: { upload: 12_345 },
    })
  })

  test(`may have ${fileLimit} bytes and not one more`, async () => {
    expect(await send(form({ operations, map, 0: fileOf(fileLimit) }))).toMatchObject({ data: { upload: fileLimit } })
    const more = await send(form({ operations, map, 0: fileOf(fileLimit + 1) }))
    expect(more).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' })
  })

  test('is not read further than the limit, whatever it says of its length', async () => {
    let sent = 0
    const chunk = new Uint8Array(65_536)
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += chunk.byteLength
        controller.enqueue(chunk)
      },
    })
    const type = { 'content-type': 'multipart/form-data; boundary=b', 'content-length': '100' }
    expect(await send(endless, type)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' })
    expect(sent).toBeLessThan(formLimit + 1_000_000)
  })

  test('has a limit for its operation, too', async () => {
    const long = JSON.stringify({ query, variables: { file: null, padding: 'x'.repeat(100_000) } })
    expect(await send(form({ operations: long, map, 0: fileOf(1) }))).toMatchObject({ status: 413 })
  })

  test.each([
    ['an anonymous caller', () => Promise.resolve('nobody'), 401, 'UNAUTHENTICATED'],
    ['a tenant’s viewer', () => app.tenantToken(tenantId, 'viewer'), 200, 'FORBIDDEN'],
  ])('of %s is not even read', async (_name, token, status, code) => {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 1
        controller.enqueue(new Uint8Array(65_536))
      },
    })
    const headers = { 'content-type': 'multipart/form-data; boundary=b', authorization: `Bearer ${await token()}` }
    expect(await send(body, headers)).toMatchObject({ status, code })
    expect(sent).toBeLessThan(5)
  })

  test('needs the CSRF header, since a form needs no preflight', async () => {
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: { authorization: `Bearer ${app.operator}` },
      body: form({ operations, map, 0: fileOf(1) }),
    })
    expect(response.status).toBe(403)
  })

  test.each([
    ['without operations', form({ map, 0: fileOf(1) }), /operations/],
    ['without a map', form({ operations, 0: fileOf(1) }), /map/],
    ['without the file', form({ operations, map }), /file/],
    ['with a text for the file', form({ operations, map, 0: 'text' }), /file/],
    ['with two files', form({ operations, map, 0: fileOf(1), 1: fileOf(1) }), /one file/],
    ['with a batch', form({ operations: `[${operations}]`, map, 0: fileOf(1) }), /Batching/],
    ['with operations that are no JSON', form({ operations: '{', map, 0: fileOf(1) }), /JSON/],
    ['with a map that is none', form({ operations, map: '[]', 0: fileOf(1) }), /map/],
    [
      'with a map of two places',
      form({ operations, map: '{"0":["variables.file","variables.b"]}', 0: fileOf(1) }),
      /map/,
    ],
    ['into the query', form({ operations, map: '{"0":["query"]}', 0: fileOf(1) }), /null/],
    ['into a prototype', form({ operations, map: '{"0":["variables.__proto__.x"]}', 0: fileOf(1) }), /null/],
    ['over another value', form({ operations: operations.replace('null', '1'), map, 0: fileOf(1) }), /null/],
  ])('%s is refused with 400 and a reason', async (_name, body, reason) => {
    const { status, code, message } = await send(body)
    expect({ status, code }).toEqual({ status: 400, code: 'BAD_REQUEST' })
    expect(message).toMatch(reason)
  })

  test('that is no multipart form at all is refused', async () => {
    const type = { 'content-type': 'multipart/form-data; boundary=b' }
    expect(await send('nothing of the kind', type)).toMatchObject({ status: 400, code: 'BAD_REQUEST' })
  })
})
