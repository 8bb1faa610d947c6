import { print } from '@0no-co/graphql.web'

import { Refusal, type Issue } from './errors.ts'
import type { TadaDocumentNode } from './graphql.ts'
import { assertAnswered, bodyOf, send } from './http.ts'

/** A mutation's result: its payload, or one of the errors of its union. */
type Errors = `${string}Error`

interface Refused {
  readonly __typename: string
  readonly message: string
  readonly issues?: readonly Issue[]
}

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

/** The payload of a mutation's result; throws a Refusal for each of its errors. */
export function payloadOf<Result extends { readonly __typename: string }>(
  result: Result,
): Exclude<Result, { readonly __typename: Errors }> {
  if (!result.__typename.endsWith('Error')) return result as Exclude<Result, { readonly __typename: Errors }>
  const { __typename, message, issues = [] } = result as unknown as Refused
  throw new Refusal(__typename, message, issues)
}
