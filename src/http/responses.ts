import { GraphQLError } from 'graphql'

/** A JSON document. */
export const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  new Response(JSON.stringify(body), {
    status,
    headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  })

/** A failure outside of the GraphQL endpoint, in the shape that GraphQL's errors have, so that clients know one shape. */
export const failure = (
  status: number,
  code: string,
  message: string,
  { headers = {}, ...extensions }: { headers?: Record<string, string>; requestId?: string } = {},
): Response => json(status, { errors: [{ message, extensions: { code, ...extensions } }] }, headers)

/** A refusal of a GraphQL request as a whole; `status` is sent whatever the client accepts. */
export const refused = (
  status: number,
  code: string,
  message: string,
  headers: Record<string, string> = {},
): GraphQLError => new GraphQLError(message, { extensions: { code, http: { status, headers } } })
