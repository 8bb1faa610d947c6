import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

import { renderGraphiQL } from '@graphql-yoga/render-graphiql'

import { exampleOperations } from './graphiql-examples.ts'

export interface GraphiqlPage {
  readonly html: Buffer<ArrayBuffer>
  readonly gzip: Buffer<ArrayBuffer>
  readonly etag: string
  readonly headers: Readonly<Record<string, string>>
}

const options = { title: 'Orrery', defaultTabs: exampleOperations.map((query) => ({ query })) }

/**
 * Runs in the browser before GraphiQL starts. A sign-in link is `/graphql#token=…`: a fragment is never sent to a
 * server. The token goes into the header editor and out of the address bar; it is kept, with the tabs, for as long as
 * the browser's tab lives.
 */
const signIn = `
  function orreryOptions(options) {
    const token = new URLSearchParams(location.hash.slice(1)).get('token');
    if (token) {
      history.replaceState(null, '', location.pathname + location.search);
      sessionStorage.removeItem('graphiql:tabState');
      sessionStorage.setItem('graphiql:headers', JSON.stringify({ Authorization: 'Bearer ' + token }, null, 2));
    }
    const headers = sessionStorage.getItem('graphiql:headers') || '{"Authorization": "Bearer "}';
    return {
      ...options,
      headers,
      initialHeaders: headers,
      defaultTabs: options.defaultTabs.map((tab) => ({ ...tab, headers })),
      defaultEditorToolsVisibility: 'headers',
      storage: sessionStorage,
    };
  }
  addEventListener('hashchange', () => {
    if (location.hash.startsWith('#token=')) location.reload();
  });
`

/** Renders the page once; the Content-Security-Policy allows exactly its own scripts and requests to this server. */
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

function pageText(): string {
  const plain = renderGraphiQL(options)
  const start = plain.indexOf('<script>')
  const given = JSON.stringify(options)
  const call = plain.lastIndexOf(given)
  if (start < 0 || call < start) throw new Error('@graphql-yoga/render-graphiql renders another page than expected')
  return [
    plain.slice(0, start),
    `<script>${signIn}</script>`,
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
    // The editor makes style elements while it runs.
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
