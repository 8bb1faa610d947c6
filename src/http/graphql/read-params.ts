import { isUtf8 } from 'node:buffer'

import { budgetOf } from '../../auth/session.ts'
import type { Spool } from '../../base/limits/spool.ts'
import { recordForbidden } from '../../graphql/changes/recorded.ts'
import { accessOf, callerOf, refusalFor } from '../../graphql/kit/access.ts'
import { readBody } from '../pipeline/body.ts'
import type { Call } from '../pipeline/call.ts'
import type { ServerContext } from './graphql-plugin.ts'
import { asParams, jsonLimit, parseJson, type Params } from './params.ts'
import { badRequest, refused } from '../pipeline/refusals.ts'
import { paramsFromForm } from '../uploads/upload-form.ts'

const csrfHeader = 'x-orrery-csrf'
/** Parameters that are plain text, not JSON, in an address. */
const texts = new Set(['query', 'operationName'])

/** The body of a call that is being read; null when it is not read yet. */
export type BodyAhead = Promise<Buffer> | null

/**
 * Begins to read the body of a JSON post, so that it arrives while the caller is looked up: node passes it on with the
 * headers, in one step less. Other bodies wait until it is known who sends them.
 */
export function bodyAhead(call: Call): BodyAhead {
  if (call.method !== 'POST' || !isJson(call) || isCompressed(call)) return null
  const body = readBody(call.request, jsonLimit)
  // readParams reports a failure, unless the call has failed before.
  body.catch(() => undefined)
  return body
}

const isJson = ({ contentType: type }: Call): boolean =>
  type === 'application/json' || type === 'application/graphql+json'
const isCompressed = (call: Call): boolean => (call.header('content-encoding') ?? 'identity') !== 'identity'

/**
 * Reads the operation of a call: from the address of a GET, the JSON body of a POST, or a multipart form with a file.
 * Other content types are refused.
 * @param ahead the body, if it is being read already
 * @param spool where an upload waits for its turn
 * @throws GraphQLError made by `refused`
 * @throws LimitError when too many uploads wait
 */
export async function readParams(context: ServerContext, ahead: BodyAhead, spool: Spool): Promise<Params> {
  const { call } = context
  if (call.method !== 'POST') return paramsFromAddress(call)
  if (ahead) return paramsFromJson(await ahead)
  if (!isJson(call) && call.contentType !== 'multipart/form-data') {
    throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send GraphQL requests as application/json.')
  }
  if (isCompressed(call)) {
    throw refused(415, 'UNSUPPORTED_MEDIA_TYPE', 'Send the body uncompressed.')
  }
  // Only from callers that may publish, since files serve no other purpose: no other caller may make this
  // server hold megabytes.
  if (!accessOf(context).nodeWriter) {
    // The form is not read; there is one mutation that takes a file.
    await recordForbidden('createConfigBundle', context, {})
    throw refusalFor(context)
  }
  assertPreflighted(call)
  const content = spool.open(budgetOf(callerOf(context)))
  call.whenOver(() => content.close())
  return paramsFromForm(call.request, content)
}

/**
 * A page of any origin can make its visitor's browser send a GET or a form without asking the server first. Those two
 * therefore need a header (any value) that such a page cannot set without the CORS preflight, which only listed
 * origins pass. JSON bodies are always preflighted (Fetch standard, CORS-safelisted request headers).
 */
function assertPreflighted(call: Call): void {
  if (call.header(csrfHeader) !== null) return
  throw refused(403, 'CSRF_HEADER_MISSING', `This request needs the header ${csrfHeader} (with any value).`)
}

function paramsFromJson(body: Buffer): Params {
  if (body.byteLength === 0) throw badRequest('The request has no body.')
  if (!isUtf8(body)) throw badRequest('The body is not UTF-8.')
  const text = body.toString()
  // Removes a byte order mark, which some clients write and JSON does not allow.
  return asParams(parseJson(text.startsWith('\uFEFF') ? text.slice(1) : text, 'The body'))
}

/** The operation in a GET's address (GraphQL over HTTP, 6.2). */
function paramsFromAddress(call: Call): Params {
  assertPreflighted(call)
  if (call.method !== 'GET') {
    throw refused(405, 'BAD_REQUEST', 'GraphQL only supports GET and POST requests.', { allow: 'GET, POST' })
  }
  const search = call.url?.searchParams ?? new URLSearchParams()
  const given: Record<string, unknown> = {}
  for (const name of ['query', 'operationName', 'variables', 'extensions']) {
    const value = search.get(name)
    if (value) given[name] = texts.has(name) ? value : parseJson(value, `\`${name}\``)
  }
  return asParams(given)
}
