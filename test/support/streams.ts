import { eventsOf } from './events.ts'

/** An open subscription over a socket. */
export interface Stream<Value> {
  readonly response: Response
  /**
   * The value of the subscription's one field in the next event, or the codes of the event's errors, or `complete`, and
   * at the end `closed`; ignores pings.
   */
  next(): Promise<Value | readonly (string | undefined)[] | 'complete' | 'closed'>
  close(): Promise<unknown>
}

interface Answer<Value> {
  readonly data?: Readonly<Record<string, Value>> | null
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[]
}

/** Opens a subscription at a server's address with any token after `Bearer`. */
export async function openStream<Value>(
  url: string,
  token: string | null,
  { query, variables = {} }: { readonly query: string; readonly variables?: object },
): Promise<Stream<Value>> {
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
        const { data, errors = [] } = JSON.parse(value.data) as Answer<Value>
        return data ? onlyValue(data) : errors.map(({ extensions }) => extensions?.code)
      }
    },
    close: () => events.return(),
  }
}

function onlyValue<Value>(data: Readonly<Record<string, Value>>): Value {
  const [value, ...others] = Object.values(data)
  if (value === undefined || others.length > 0) throw new Error(`not one field: ${JSON.stringify(data)}`)
  return value
}
