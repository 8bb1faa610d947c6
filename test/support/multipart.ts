import type { Client } from './client.ts'
import { fileMark } from './schema-walk.ts'

/** Sends an operation; where its variables hold a file, as a multipart request (GraphQL multipart request spec). */
export async function send(
  app: Pick<Client, 'fetch'>,
  token: string | null,
  query: string,
  variables: Record<string, unknown>,
  file: Uint8Array<ArrayBuffer> = new TextEncoder().encode('no archive'),
): Promise<{ status: number; text: string }> {
  const headers: Record<string, string> = {
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    'x-orrery-csrf': '1',
  }
  const path = pathToFile(variables, 'variables')
  if (path === null) {
    const body = JSON.stringify({ query, variables })
    const response = await app.fetch('/graphql', {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body,
    })
    return { status: response.status, text: await response.text() }
  }
  const operations = JSON.stringify({ query, variables }, (_key, value: unknown) => (value === fileMark ? null : value))
  const form = new FormData()
  form.set('operations', operations)
  form.set('map', JSON.stringify({ 0: [path] }))
  form.set('0', new File([file], 'bundle.tar.gz', { type: 'application/gzip' }))
  const response = await app.fetch('/graphql', { method: 'POST', headers, body: form })
  return { status: response.status, text: await response.text() }
}

function pathToFile(value: unknown, path: string): string | null {
  if (value === fileMark) return path
  if (typeof value !== 'object' || value === null) return null
  for (const [key, inner] of Object.entries(value)) {
    const found = pathToFile(inner, `${path}.${key}`)
    if (found !== null) return found
  }
  return null
}
