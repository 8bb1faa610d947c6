import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliCompressSync, brotliDecompressSync } from 'node:zlib'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { accepts } from '../../src/http/page/accepts.ts'
import { readPageFiles } from '../../src/http/page/page-files.ts'
import { listen, type Listening } from '../../src/http/server/server.ts'
import { startApp, type TestApp } from '../support/app.ts'

const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const index = '<meta name="nonce" content="__CSP_NONCE__"><style nonce="__CSP_NONCE__"></style>'
const script = 'export const page = 1\n'

let folder: string
let app: TestApp
let server: Listening
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-page-'))
  const built = join(folder, 'web')
  await mkdir(join(built, 'assets'), { recursive: true })
  await writeFile(join(built, 'index.html'), index)
  await writeFile(join(built, 'favicon.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
  await writeFile(join(built, 'assets/index-abc.js'), script)
  await writeFile(join(built, 'assets/index-abc.js.br'), brotliCompressSync(script))
  await writeFile(join(built, 'assets/index-abc.js.map'), '{}')
  await writeFile(join(built, 'assets/font-abc.woff2'), 'font')
  await writeFile(join(folder, 'secret.js'), 'secret')
  app = await startApp('sqlite', { page: await readPageFiles(built) })
  server = await listen(app.app, { host: '127.0.0.1', port: 0 })
})
afterAll(async () => {
  await server.close()
  await app.close()
  await rm(folder, { recursive: true })
})

describe('the admin page', () => {
  const pages = ['/', '/t/one', '/c/one/nodes?status=failing', '/sign-in', '/me', '/system', '/anything']
  test.each(pages)('opens at %s, for this visit only', async (path) => {
    const nonces = new Set<string>()
    for (let visit = 0; visit < 3; visit += 1) {
      const response = await fetch(`${server.url}${path}`, { headers: browser })
      expect(response.status).toBe(200)
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-store')
      const policy = response.headers.get('content-security-policy') ?? ''
      const [, nonce = ''] = /'nonce-([\w+/]{22}==)'/.exec(policy) ?? []
      expect(policy).toBe(
        `default-src 'none'; script-src 'self'; style-src 'self' 'nonce-${nonce}'; img-src 'self' data:; ` +
          "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; " +
          "form-action 'self'; frame-ancestors 'none'",
      )
      expect(await response.text()).toBe(index.replaceAll('__CSP_NONCE__', nonce))
      nonces.add(nonce)
    }
    expect(nonces.size).toBe(3)
  })

  test('has files that browsers keep for ever, compressed where they can take it', async () => {
    const ask = (headers: Record<string, string>) => app.fetch('/assets/index-abc.js', { headers })
    const plain = await ask({})
    expect(await plain.text()).toBe(script)
    expect(Object.fromEntries(plain.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      vary: expect.stringContaining('accept-encoding'),
    })
    const packed = await ask({ 'accept-encoding': 'gzip, deflate, br' })
    expect(packed.headers.get('content-encoding')).toBe('br')
    expect(brotliDecompressSync(await packed.arrayBuffer()).toString()).toBe(script)
    expect((await ask({ 'accept-encoding': 'gzip' })).headers.get('content-encoding')).toBeNull()
    expect((await ask({ 'if-none-match': plain.headers.get('etag') ?? '' })).status).toBe(304)
    expect((await app.fetch('/favicon.svg')).headers.get('cache-control')).toBe('no-cache')
    expect((await app.fetch('/assets/font-abc.woff2')).headers.get('content-type')).toBe('font/woff2')
  })

  test.each([
    '/assets/other.js',
    '/assets/index-abc.js.br',
    '/assets/index-abc.js.map',
    '/assets/../secret.js',
    '/assets/..%2f..%2fsecret.js',
    '/assets/%2e%2e/%2e%2e/secret.js',
    '/assets/....//secret.js',
    '/secret.js',
    '/index.html%00.js',
    '/assets/',
  ])('has no other file, whatever is asked: %s', async (path) => {
    const response = await app.fetch(path, { headers: { accept: '*/*' } })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'NOT_FOUND' } }] })
  })

  test('takes nothing away from the API', async () => {
    expect((await app.fetch('/healthz', { headers: browser })).headers.get('content-type')).toContain('json')
    expect((await app.fetch('/nothing', { method: 'POST', headers: browser, body: '{}' })).status).toBe(404)
    expect((await app.fetch('/sign-out', { headers: { accept: 'application/json' } })).status).toBe(405)
    expect((await app.fetch('/assets/x.js', { headers: browser })).status).toBe(404)
  })

  test('that was not built says so', async () => {
    const without = await startApp('sqlite')
    const response = await without.fetch('/', { headers: browser })
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('was not built')])
    expect(await readPageFiles(join(folder, 'nowhere'))).toBeNull()
    await without.close()
  })
})

test.each([
  [null, false],
  ['br', true],
  ['gzip, BR;q=0.5', true],
  ['br;q=0', false],
  ['br;q=0.0, *', false],
  ['*', true],
  ['gzip', false],
  ['brotli', false],
])('Accept-Encoding: %s takes br: %s', (header, taken) => {
  expect(accepts(header, 'br')).toBe(taken)
})
