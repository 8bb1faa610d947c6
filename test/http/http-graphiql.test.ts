import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { exampleOperations } from '../../src/http/graphiql/graphiql-examples.ts'
import { signInScript } from '../../src/http/graphiql/graphiql-sign-in.ts'
import { startApp, type TestApp } from '../support/app.ts'

let app: TestApp
beforeAll(async () => {
  app = await startApp('sqlite')
})
afterAll(() => app.close())

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }

describe('GraphiQL', () => {
  test('is one page without a request to anywhere else, and its policy allows none', async () => {
    const response = await app.fetch('/graphql', { headers: browser })
    const page = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const markup = page.replaceAll(/<script>.*?<\/script>|<style>.*?<\/style>/gs, '')
    expect(markup.match(/(src|href)="(?!data:)[^"]*"/g)).toBeNull()
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("connect-src 'self'")
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src[^;]*unsafe-inline/)
    const scripts = [...page.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script)
    expect(scripts).toHaveLength(2)
    for (const script of scripts) {
      expect(policy).toContain(`'sha256-${createHash('sha256').update(script).digest('base64')}'`)
    }
  })

  test('is sent once and kept by the browser', async () => {
    const first = await app.fetch('/graphql', { headers: { ...browser, 'accept-encoding': 'gzip' } })
    expect(first.headers.get('content-encoding')).toBe('gzip')
    expect((await first.arrayBuffer()).byteLength).toBeLessThan(3_000_000)
    const again = await app.fetch('/graphql', {
      headers: { ...browser, 'if-none-match': first.headers.get('etag') ?? '' },
    })
    expect(again.status).toBe(304)
  })

  test('is not what a client of the API gets', async () => {
    const headers = { 'x-orrery-csrf': '1', authorization: `Bearer ${app.operator}` }
    const response = await app.fetch('/graphql?query={__typename}', { headers })
    expect(await response.json()).toEqual({ data: { __typename: 'Query' } })
  })

  test.each(exampleOperations.map((text) => [/(query|mutation) (\w+)/.exec(text)?.[2] ?? '', text]))(
    'opens with an example that runs: %s',
    async (_name, text) => {
      const answer = await app.answer(app.operator, text)
      expect(answer.errors).toBeUndefined()
    },
  )
})

describe('a sign-in link', () => {
  interface Options {
    headers: string
    initialHeaders: string
    initialQuery?: string
    defaultTabs: { query: string; headers: string }[]
  }

  /** Runs the page's script in a browser of sorts. */
  function open(hash: string, stored: Record<string, string> = {}) {
    const address: string[] = []
    const sent: string[] = []
    const shown: string[] = []
    class XMLHttpRequest {
      status = 0
      responseText = ''
      open = (...request: unknown[]) => sent.push(request.join(' '))
      setRequestHeader = (...header: string[]) => sent.push(header.join(': '))
      send(body: string) {
        sent.push(body)
        const { code } = JSON.parse(body) as { code: string }
        this.status = code === 'used' ? 401 : 200
        const refusal = { errors: [{ message: 'used' }] }
        this.responseText = JSON.stringify(code === 'used' ? refusal : { token: `token-of-${code}` })
      }
    }
    const storage = new Map(Object.entries(stored))
    const sessionStorage = {
      getItem: (key: string) => storage.get(key) ?? null,
      setItem: (key: string, value: string) => storage.set(key, value),
    }
    const options = runInNewContext(`${signInScript}; orreryOptions({ defaultTabs: [{ query: '{ a }' }] })`, {
      sessionStorage,
      URLSearchParams,
      XMLHttpRequest,
      alert: (message: string) => shown.push(message),
      location: { hash, pathname: '/graphql', search: '?query=x' },
      history: { replaceState: (_state: unknown, _title: string, url: string) => address.push(url) },
      addEventListener: () => undefined,
    }) as Options
    return { options, address, storage, sent, shown }
  }

  const authorization = (headers: string | undefined) =>
    (JSON.parse(headers ?? '{}') as { Authorization?: string }).Authorization

  test('fills the header editor of every tab, and leaves the address bar', () => {
    const { options, address, sent } = open('#sign-in=abc-_')
    expect(authorization(options.initialHeaders)).toBe('Bearer token-of-abc-_')
    expect(options.defaultTabs.map(({ headers }) => authorization(headers))).toEqual(['Bearer token-of-abc-_'])
    expect(address).toEqual(['/graphql?query=x'])
    // In the body, so that no log of addresses keeps it.
    expect(sent).toEqual(['POST sign-in false', 'Content-Type: application/json', '{"code":"abc-_"}'])
  })

  test('that was used says so, and signs nobody in', () => {
    const { options, address, shown } = open('#sign-in=used')
    expect(shown).toEqual(['used'])
    expect(authorization(options.initialHeaders)).toBe('Bearer ')
    expect(address).toEqual(['/graphql?query=x'])
  })

  test('signs tabs that are open already in with the new token', () => {
    const tabs = [
      { query: '{ one }', variables: '', headers: '{"Authorization":"Bearer old"}' },
      { query: '{ two }', variables: '', headers: '{"Authorization":"Bearer old"}' },
    ]
    const state = { 'graphiql:tabState': JSON.stringify({ activeTabIndex: 1, tabs }) }
    const { options, storage } = open('#sign-in=new', state)
    expect(storage.get('graphiql:tabState')).not.toContain('old')
    expect(options.initialQuery).toBe('{ two }')
    expect(authorization(options.initialHeaders)).toBe('Bearer token-of-new')
  })

  test('is not needed again after a reload', () => {
    const { storage } = open('#sign-in=abc')
    const { options, address } = open('', Object.fromEntries(storage))
    expect(authorization(options.initialHeaders)).toBe('Bearer token-of-abc')
    expect(address).toEqual([])
  })

  test('without one, the header editor shows where the credential goes', () => {
    expect(authorization(open('').options.initialHeaders)).toBe('Bearer ')
  })
})
