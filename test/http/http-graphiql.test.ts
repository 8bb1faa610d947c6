import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { exampleOperations } from '../../src/http/graphiql/graphiql-examples.ts'
import { optionsScript } from '../../src/http/graphiql/graphiql-options.ts'
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

describe('the headers of GraphiQL', () => {
  interface Options {
    headers: string
    initialHeaders: string
    initialQuery?: string
    defaultTabs: { query: string; headers: string }[]
  }

  /** Runs the page's script in a browser of sorts. */
  function open(stored: Record<string, string> = {}) {
    const storage = new Map(Object.entries(stored))
    const sessionStorage = { getItem: (key: string) => storage.get(key) ?? null }
    return runInNewContext(`${optionsScript}; orreryOptions({ defaultTabs: [{ query: '{ a }' }] })`, {
      sessionStorage,
    }) as Options
  }

  test('make the session of the admin page count, and hold no token', () => {
    const { initialHeaders, defaultTabs } = open()
    for (const headers of [initialHeaders, ...defaultTabs.map((tab) => tab.headers)]) {
      expect(JSON.parse(headers)).toEqual({ 'X-Orrery-Client': 'web' })
    }
  })

  test('stay as they were written when the tab is loaded again', () => {
    const headers = '{"Authorization":"Bearer one"}'
    const tabs = [
      { query: '{ one }', variables: '', headers },
      { query: '{ two }', variables: '', headers },
    ]
    const stored = { 'graphiql:tabState': JSON.stringify({ activeTabIndex: 1, tabs }), 'graphiql:headers': headers }
    const options = open(stored)
    expect([options.initialQuery, options.initialHeaders, options.headers]).toEqual(['{ two }', headers, headers])
  })
})
