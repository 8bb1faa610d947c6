/** A client's request: the bytes of a whole HTTP/1.1 request with keep-alive. */
export interface RequestOptions {
  readonly method?: 'GET' | 'POST'
  readonly path: string
  readonly token: string
  readonly headers?: Record<string, string>
  /** Sent as JSON. */
  readonly body?: unknown
}

/** Makes the bytes of a request, ready to write to a socket. */
export function requestBytes({ method, path, token, headers = {}, body }: RequestOptions): Buffer {
  const content = body === undefined ? '' : JSON.stringify(body)
  const lines = [
    `${method ?? (body === undefined ? 'GET' : 'POST')} ${path} HTTP/1.1`,
    'Host: 127.0.0.1',
    `Authorization: Bearer ${token}`,
    ...(body === undefined
      ? []
      : [
          'Content-Type: application/json',
          ...('Accept' in headers ? [] : ['Accept: application/json']),
          `Content-Length: ${Buffer.byteLength(content)}`,
        ]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ]
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${content}`)
}
