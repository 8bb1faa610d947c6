import { eventsOf } from './events.ts'

/** An open subscription over a socket. */
export interface Stream<Data> {
  readonly response: Response
  /** The data of the next event, or the codes of its errors, or `complete`, and at the end `closed`; passes over pings. */
  next(): Promise<Data | readonly (string | undefined)[] | 'complete' | 'closed'>
  close(): Promise<unknown>
}

interface Answer<Data> {
  readonly data?: Data | null
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[]
}

/** Opens a subscription at a server's address with whatever token goes behind `Bearer`. */
export async function openStream<Data>(
  url: string,
  token: string | null,
  { query, variables = {} }: { readonly query: string; readonly variables?: object },
): Promise<Stream<Data>> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'text/event-stream',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({ query, variables }),
  })
  const events = eventsOf(response)
  return {
    response,
    async next() {
      for (;;) {
        const { value, done } = await events.next()
        if (done) return 'closed'
        if (value.event === 'complete') return 'complete'
        if (value.event !== 'next') continue
        const { data, errors = [] } = JSON.parse(value.data) as Answer<Data>
        return data ?? errors.map(({ extensions }) => extensions?.code)
      }
    },
    close: () => events.return(),
  }
}
