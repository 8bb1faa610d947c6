/** The API's answer, as far as tests read it. */
export interface GraphqlAnswer<Data = Record<string, unknown>> {
  readonly data?: Data | null
  readonly errors?: readonly {
    message: string
    path?: readonly (string | number)[]
    extensions?: { code?: string; requestId?: string }
  }[]
}

/** A client of an application in this process or in a process of its own. */
export interface Client {
  readonly fetch: (path: string, init?: RequestInit) => Promise<Response>
  /** Posts a query; `token` is what follows `Bearer`. On errors, fails the test with everything it knows. */
  readonly ask: <Data>(token: string | null, query: string, variables?: object) => Promise<Data>
  /** The same for a query that is expected to fail. */
  readonly answer: (
    token: string | null,
    query: string,
    variables?: object,
  ) => Promise<GraphqlAnswer & { status: number }>
}

/** @param fetchApp asks the application, by a path of its own */
export function clientOf(fetchApp: Client['fetch']): Client {
  const answer: Client['answer'] = async (token, query, variables = {}) => {
    const response = await fetchApp('/graphql', {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query, variables }),
    })
    return {
      ...((await response.json()) as GraphqlAnswer),
      status: response.status,
    }
  }
  return {
    fetch: fetchApp,
    answer,
    async ask<Data>(token: string | null, query: string, variables: object = {}) {
      const { status, ...body } = await answer(token, query, variables)
      if (body.errors || !body.data) {
        throw new Error(`HTTP ${status}\n${query}\n${JSON.stringify({ variables, body }, null, 2)}`)
      }
      return body.data as Data
    },
  }
}
