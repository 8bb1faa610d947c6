import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { renderGraphiQL } from '@graphql-yoga/render-graphiql'

import { exampleOperations } from './graphiql-examples.ts'
import { optionsScript } from './graphiql-options.ts'

export interface GraphiqlPage {
  readonly html: Buffer<ArrayBuffer>
  readonly gzip: Buffer<ArrayBuffer>
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
}

/** A sun and two planets in their orbits. */
const logo =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" width="32" height="32" fill="none" stroke="#5b6abf">' +
  '<circle cx="16" cy="16" r="8"/><circle cx="16" cy="16" r="14"/><circle cx="16" cy="16" r="4" fill="#e0a526" ' +
  'stroke="none"/><circle cx="22" cy="10.5" r="2" fill="#5b6abf"/><circle cx="4" cy="22.5" r="2.5" fill="#5b6abf"/></svg>'

const options = {
  title: 'Orrery',
  logo,
  favicon: `data:image/svg+xml,${encodeURIComponent(logo)}`,
  defaultTabs: exampleOperations.map((query) => ({ query })),
}

/** Renders the page. Its Content-Security-Policy allows exactly its own scripts, and requests to this server. */
export async function renderPage(): Promise<GraphiqlPage> {
  const text = pageText()
  const html = Buffer.from(text)
  return {
    html,
    gzip: await promisify(gzip)(html),
    etag: `"${sha256(text).toString('base64url')}"`,
    headers: { 'content-type': 'text/html; charset=utf-8', 'content-security-policy': policyOf(text) },
  }
}

/** Inserts the sign-in script before the page's own script, and passes GraphiQL's options through it. */
function pageText(): string {
  const plain = renderGraphiQL(options)
  const start = plain.indexOf('<script>')
  const given = JSON.stringify(options)
  const call = plain.lastIndexOf(given)
  if (start < 0 || call < start) throw new Error('@graphql-yoga/render-graphiql renders another page than expected')
  return [
    plain.slice(0, start),
    `<script>${optionsScript}</script>`,
    plain.slice(start, call),
    `orreryOptions(${given})`,
    plain.slice(call + given.length),
  ].join('')
}

function policyOf(text: string): string {
  const scripts = [...text.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script)
  return [
    "default-src 'none'",
    `script-src ${scripts.map((script) => `'sha256-${sha256(script).toString('base64')}'`).join(' ')}`,
    // The editor creates style elements while it runs.
    "style-src 'unsafe-inline'",
    'img-src data:',
    'font-src data:',
    'worker-src blob:',
    "connect-src 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest()
