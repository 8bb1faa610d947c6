import { randomUUID } from 'node:crypto'
import { tmpdir } from 'node:os'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { Spool } from '../../src/base/limits/spool.ts'
import { startApp, type GraphqlAnswer, type TestApp } from '../support/app.ts'
import { eventually } from '../support/eventually.ts'
import { probeSchema } from '../support/probe-schema.ts'

const MiB = 1024 * 1024
const query = 'mutation ($file: File!) { upload(file: $file) }'
const operations = JSON.stringify({ query, variables: { file: null } })
const map = JSON.stringify({ 0: ['variables.file'] })

/** A form as it goes over the wire, with parts as they are given. */
const formOf = (parts: readonly (readonly [head: string, content: string])[]) =>
  `${parts.map(([head, content]) => `--b\r\nContent-Disposition: form-data; ${head}\r\n\r\n${content}\r\n`).join('')}--b--\r\n`

const whole = [
  ['name="operations"', operations],
  ['name="map"', map],
] as const
const file = ['name="0"; filename="a"', 'x'] as const

describe('a form that is sent to do harm', () => {
  let app: TestApp
  const spool = new Spool(tmpdir(), { ofOwner: 3, all: 10, memory: 4 * MiB })
  const [first, second] = [randomUUID(), randomUUID()]
  beforeAll(async () => {
    app = await startApp('sqlite', { schema: probeSchema, spool })
    for (const id of [first, second]) await app.database.client.tenant.create({ data: { id, name: id } })
  })
  afterAll(() => app.close())

  async function send(body: NonNullable<RequestInit['body']>, tenant = first, signal?: AbortSignal) {
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${await app.tenantToken(tenant)}`,
        'x-orrery-csrf': '1',
        'content-type': 'multipart/form-data; boundary=b',
      },
      body,
      ...(signal && { signal }),
    })
    const { data, errors } = (await response.json()) as GraphqlAnswer
    const retryAfter = response.headers.get('retry-after')
    return { status: response.status, data, code: errors?.[0]?.extensions?.code, retryAfter }
  }

  test.each([
    [
      'a map of nine megabytes',
      formOf([whole[0], ['name="map"', `{"0":[${'"x",'.repeat(2_300_000)}"x"]}`], file]),
      413,
    ],
    ['a map of a hundred thousand bytes', formOf([whole[0], ['name="map"', `[${'0,'.repeat(40_000)}0]`], file]), 413],
    ['an operation of a megabyte', formOf([['name="operations"', 'x'.repeat(MiB)], whole[1], file]), 413],
    ['a thousand fields', formOf(Array.from({ length: 1000 }, (_, i) => [`name="f${i}"`, 'x'] as const)), 400],
    ['a thousand files', formOf([...whole, ...Array.from({ length: 1000 }, () => file)]), 400],
    ['a field twice', formOf([whole[0], whole[0], file]), 400],
    ['a part whose head is a megabyte', formOf([[`name="${'x'.repeat(MiB)}"`, ''], ...whole, file]), 400],
    ['an end in the middle of its file', formOf([...whole, file]).slice(0, -12), 400],
    ['an end in the middle of a head', formOf(whole).slice(0, 30), 400],
    ['nothing', '', 400],
    ['rubbish', '\0\r\n--b--b'.repeat(1000), 400],
    ['parts without a name', `--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n`, 400],
  ])('of %s is refused, and nothing of it is kept', async (_name, body, status) => {
    expect(await send(body)).toMatchObject({ status, code: status === 413 ? 'PAYLOAD_TOO_LARGE' : 'BAD_REQUEST' })
    expect(spool.size).toEqual({ uploads: 0, memory: 0 })
  })

  test('that never ends takes a place of its tenant’s alone, until it is given up', async () => {
    const leaving = new AbortController()
    const slow = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(Buffer.from(formOf([...whole, file]).slice(0, -12)))
          leaving.signal.addEventListener('abort', () => controller.error(new Error('the client left')))
        },
      })
    const hanging = Array.from({ length: 3 }, () => send(slow(), first, leaving.signal).catch(() => null))
    await eventually('three uploads', () => spool.size.uploads === 3)
    const refused = await send(formOf([...whole, file]))
    expect(refused).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' })
    expect(Number(refused.retryAfter)).toBeGreaterThanOrEqual(1)
    expect(await send(formOf([...whole, file]), second)).toMatchObject({ status: 200, data: { upload: 1 } })
    leaving.abort()
    await Promise.all(hanging)
    await eventually('no upload', () => spool.size.uploads === 0)
    expect(await send(formOf([...whole, file]))).toMatchObject({ data: { upload: 1 } })
  })

  test('and all others together are in memory no further than the spool says', async () => {
    const large = Buffer.from(formOf([...whole, ['name="0"; filename="a"', 'x'.repeat(3 * MiB)]]))
    let most = 0
    const arriving = () => {
      let at = 0
      return new ReadableStream<Uint8Array>({
        pull(controller) {
          most = Math.max(most, spool.size.memory)
          controller.enqueue(large.subarray(at, (at += 65_536)))
          if (at >= large.length) controller.close()
        },
      })
    }
    const answers = await Promise.all(
      [first, first, first, second, second, second].map((tenant) => send(arriving(), tenant)),
    )
    for (const { data } of answers) expect(data).toEqual({ upload: 3 * MiB })
    expect(most).toBeLessThanOrEqual(4 * MiB)
    expect(most).toBeGreaterThan(0)
    expect(spool.size).toEqual({ uploads: 0, memory: 0 })
  })
})
