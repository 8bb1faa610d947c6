import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { longestOfStrangers } from '../../src/http/graphql/strangers-documents.ts'
import { documentLimits } from '../../src/http/graphql/bounds/limits.ts'
import { jsonLimit } from '../../src/http/graphql/params.ts'
import { startApp, type GraphqlAnswer, type TestApp } from '../support/app.ts'
import { probeSchema } from '../support/probe-schema.ts'

let app: TestApp
let real: TestApp
beforeAll(async () => {
  app = await startApp('sqlite', { schema: probeSchema })
  real = await startApp('sqlite')
})
afterAll(async () => {
  await app.close()
  await real.close()
})

/** What an operator is answered: the status, and the first error's code and message. */
async function outcome(init: RequestInit & { path?: string }, of: TestApp = app) {
  const { path = '/graphql', headers = {}, ...rest } = init
  const authorization = `Bearer ${of.operator}`
  const response = await of.fetch(path, { ...rest, headers: { authorization, ...(headers as object) } })
  const body = (await response.json()) as GraphqlAnswer
  return {
    status: response.status,
    code: body.errors?.[0]?.extensions?.code,
    message: body.errors?.[0]?.message,
    data: body.data,
  }
}

const json = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body,
})
const query = (text: string, variables: object = {}) => json(JSON.stringify({ query: text, variables }))

describe('the body of a request', () => {
  const padded = (bytes: number) => {
    const empty = JSON.stringify({ query: '{ hello }', variables: { padding: '' } })
    return empty.replace('""', `"${'x'.repeat(bytes - empty.length)}"`)
  }

  test(`may have ${jsonLimit} bytes and not one more`, async () => {
    expect(await outcome(json(padded(jsonLimit)))).toMatchObject({ status: 200, data: { hello: 'Hello you' } })
    expect(await outcome(json(padded(jsonLimit + 1)))).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' })
  })

  test('is counted as it comes, whatever its Content-Length says', async () => {
    const body = new TextEncoder().encode(padded(jsonLimit + 1))
    expect(await outcome(json(body, { 'content-length': '10' }))).toMatchObject({ status: 413 })
  })

  test.each([
    ['no body', json(''), /no body/],
    ['no JSON', json('{"query": "{ hello }"'), /no valid JSON/],
    ['no UTF-8', json(new Uint8Array([0x22, 0xff, 0x22])), /UTF-8/],
    ['a text', json('"{ hello }"'), /object/],
    ['null', json('null'), /object/],
    ['a batch', json(JSON.stringify([{ query: '{ hello }' }])), /Batching is off/],
    ['no query', json('{}'), /query/],
    ['an unknown parameter', json('{"query":"{ hello }","extra":1}'), /extra/],
    ['variables that are a list', json('{"query":"{ hello }","variables":[]}'), /variables/],
  ])('%s is refused with 400 and a reason', async (_name, init, reason) => {
    const { status, code, message } = await outcome(init)
    expect({ status, code }).toEqual({ status: 400, code: 'BAD_REQUEST' })
    expect(message).toMatch(reason)
  })

  test('a refusal does not repeat what was sent', async () => {
    const { message } = await outcome(json('{"query": orn_abcdefghijklmnopqrstuvwxyz'))
    expect(message).not.toContain('orn_')
  })

  test.each(['text/plain', 'application/graphql', 'application/x-www-form-urlencoded', 'application/jsonp'])(
    '%s is no content type of ours',
    async (type) => {
      const init = { method: 'POST', headers: { 'content-type': type, 'x-orrery-csrf': '1' }, body: '{ hello }' }
      expect(await outcome(init)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' })
    },
  )

  test('a compressed one is refused, not misread', async () => {
    expect(await outcome(json('x', { 'content-encoding': 'gzip' }))).toMatchObject({ status: 415 })
  })
})

describe('a document', () => {
  const repeat = (count: number, part: (index: number) => string) => Array.from({ length: count }, (_, i) => part(i))
  const refusal = { status: 400, code: 'QUERY_TOO_COMPLEX' }

  test(`may have ${documentLimits.aliases} aliases`, async () => {
    const aliases = (count: number) => query(`{ ${repeat(count, (i) => `a${i}: hello`).join(' ')} }`)
    expect(await outcome(aliases(documentLimits.aliases))).toMatchObject({ status: 200 })
    expect(await outcome(aliases(documentLimits.aliases + 1))).toMatchObject(refusal)
  })

  test('does not get more aliases through fragments', async () => {
    const document = `{ ...F ...G } fragment F on Query { ${repeat(20, (i) => `a${i}: hello`).join(' ')} }
      fragment G on Query { ${repeat(20, (i) => `b${i}: hello`).join(' ')} }`
    expect(await outcome(query(document))).toMatchObject(refusal)
  })

  test(`may have ${documentLimits.directives} directives`, async () => {
    const fields = (count: number) => query(`{ ${repeat(count, () => 'hello @include(if: true)').join(' ')} }`)
    expect(await outcome(fields(documentLimits.directives))).toMatchObject({ status: 200 })
    expect(await outcome(fields(documentLimits.directives + 1))).toMatchObject(refusal)
  })

  test(`may have ${documentLimits.tokens} tokens`, async () => {
    const fields = (count: number) => query(`{ ${repeat(count, () => 'hello').join(' ')} }`)
    expect(await outcome(fields(documentLimits.tokens - 2))).toMatchObject({ status: 200 })
    expect(await outcome(fields(documentLimits.tokens - 1))).toMatchObject(refusal)
    expect(await outcome(query('{hello'.repeat(15_000)))).toMatchObject(refusal)
  })

  test(`may be ${documentLimits.depth} levels deep, with fragments or without`, async () => {
    const nested = (levels: number) => {
      const inner = (left: number): string => (left === 1 ? '__typename' : `clusters { nodes { ${inner(left - 2)} } }`)
      return `{ tenants { nodes { ${inner(levels - 2)} } } }`
    }
    const ask = (text: string) => real.answer(real.operator, text)
    expect((await ask('{ tenants { nodes { clusters { nodes { __typename } } } } }')).errors).toBeUndefined()
    expect(nested(5)).toBe('{ tenants { nodes { clusters { nodes { __typename } } } } }')
    const deep = await ask(`{ tenants { nodes { clusters { nodes { tenant { clusters { nodes { tenant { clusters {
      nodes { tenant { clusters { totalCount } } } } } } } } } } } } }`)
    expect({ status: deep.status, code: deep.errors?.[0]?.extensions?.code }).toEqual(refusal)
    const hidden = await ask(`{ tenants { nodes { ...A } } }
      fragment A on Tenant { clusters { nodes { tenant { ...B } } } }
      fragment B on Tenant { clusters { nodes { tenant { ...C } } } }
      fragment C on Tenant { clusters { nodes { tenant { id } } } }`)
    expect({ status: hidden.status, code: hidden.errors?.[0]?.extensions?.code }).toEqual(refusal)
  })

  test('asks for too much when its pages are, written out or in variables', async () => {
    const pages = `query ($n: Int) { tenants(first: $n) { nodes { clusters(first: $n) { nodes { id name } } } } }`
    const literal = '{ tenants(first: 500) { nodes { clusters(first: 500) { nodes { id name } } } } }'
    const withVariables = (n: number) => real.answer(real.operator, pages, { n })
    expect((await withVariables(50)).errors).toBeUndefined()
    for (const answer of [await withVariables(500), await real.answer(real.operator, literal)]) {
      expect({ status: answer.status, code: answer.errors?.[0]?.extensions?.code }).toEqual(refusal)
    }
    // The document is cached by now; its variables still count.
    expect((await withVariables(50)).errors).toBeUndefined()
    expect((await withVariables(500)).errors?.[0]?.extensions?.code).toBe('QUERY_TOO_COMPLEX')
  })

  test('cannot drive introspection round in circles', async () => {
    const document =
      '{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }'
    expect(await real.answer(real.operator, document)).toMatchObject({ status: 200, errors: [{}] })
  })
})

describe('what a foreign page can make a browser send', () => {
  const get = '/graphql?query={hello}'

  test('a GET needs the CSRF header', async () => {
    expect(await outcome({ path: get })).toMatchObject({ status: 403, code: 'CSRF_HEADER_MISSING' })
    expect(await outcome({ path: get, headers: { 'x-orrery-csrf': '1' } })).toMatchObject({ status: 200 })
    expect(await outcome({ path: get, headers: { 'content-type': 'text/plain' } })).toMatchObject({ status: 403 })
  })

  test('no GET changes anything', async () => {
    const path = '/graphql?query=mutation{change}'
    expect(await outcome({ path, headers: { 'x-orrery-csrf': '1' } })).toMatchObject({ status: 405, data: undefined })
  })

  test('a GET with malformed variables is the caller’s fault', async () => {
    const path = `${get}&variables={nonsense`
    expect(await outcome({ path, headers: { 'x-orrery-csrf': '1' } })).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    })
  })
})

describe('introspection', () => {
  const schemaQuery = '{ __schema { queryType { name } } }'
  const typeQuery = '{ __type(name: "Query") { name } }'
  const tokenOf = { anonymous: () => null, operator: (of: TestApp) => of.operator }

  test.each([
    ['authenticated', 'anonymous', 401, 'UNAUTHENTICATED'],
    ['authenticated', 'operator', 200, undefined],
    ['everyone', 'anonymous', 200, undefined],
    ['nobody', 'anonymous', 401, 'UNAUTHENTICATED'],
    ['nobody', 'operator', 403, 'FORBIDDEN'],
  ] as const)('for %s: %s gets %i %s', async (introspection, caller, status, code) => {
    const own = await startApp('sqlite', { introspection })
    try {
      for (const text of [schemaQuery, typeQuery, `{ a: __schema { queryType { name } } }`]) {
        const answer = await own.answer(tokenOf[caller](own), text)
        expect({ status: answer.status, code: answer.errors?.[0]?.extensions?.code }).toEqual({ status, code })
      }
      const long = `{ __typename ${'#'.repeat(longestOfStrangers)}\n }`
      const answer = await own.answer(tokenOf[caller](own), long)
      expect(answer.status).toBe(caller === 'anonymous' ? 401 : 200)
    } finally {
      await own.close()
    }
  })

  test('a signed-in caller’s answer is not served to an anonymous one from the cache', async () => {
    expect((await real.answer(real.operator, schemaQuery)).errors).toBeUndefined()
    expect((await real.answer(null, schemaQuery)).status).toBe(401)
    expect((await real.answer(real.operator, schemaQuery)).errors).toBeUndefined()
  })
})
