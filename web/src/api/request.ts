import { print } from '@0no-co/graphql.web'

import type { TadaDocumentNode } from './graphql.ts'
import { assertAnswered, bodyOf, send } from './http.ts'

/** Runs a query or a mutation. */
export async function request<Data, Variables>(
  document: TadaDocumentNode<Data, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Data> {
  const body = await bodyOf(await send('/graphql', { body: { query: print(document), variables }, signal }))
  assertAnswered(body)
  return body.data as Data
}
