import type { GraphQLParams } from 'graphql-yoga'

import { unauthenticated } from '../graphql/access.ts'
import { readBody } from './body.ts'
import type { GraphqlPlugin } from './graphql.ts'
import { refused } from './responses.ts'
import { asParams, contentType, parseJson } from './use-request-parsers.ts'

/** Bytes of the one file, of the operation that it belongs to, and of the form around both. */
const fileLimit = 10 * 1024 * 1024
const operationsLimit = 100_000
const formLimit = fileLimit + operationsLimit + 20_000

const badRequest = (message: string) => refused(400, 'BAD_REQUEST', message)

/**
 * Uploads of one file by the GraphQL multipart request specification
 * (github.com/jaydenseric/graphql-multipart-request-spec). Only for callers that are signed in: nobody else may make
 * this server read megabytes.
 */
export function useUploads(): GraphqlPlugin {
  return {
    onRequestParse({ request, setRequestParser, serverContext }) {
      if (request.method !== 'POST' || contentType(request) !== 'multipart/form-data') return
      if (serverContext.session.kind === 'anonymous') throw unauthenticated()
      setRequestParser(fromForm)
    },
  }
}

async function fromForm(request: Request): Promise<GraphQLParams> {
  const form = await readForm(request)
  const operations = form.get('operations')
  const map = form.get('map')
  if (typeof operations !== 'string' || typeof map !== 'string') {
    throw badRequest('The form needs the fields `operations` and `map`, each a JSON text.')
  }
  if (operations.length > operationsLimit) {
    throw refused(413, 'PAYLOAD_TOO_LARGE', `\`operations\` may have at most ${operationsLimit} characters.`)
  }
  const params = asParams(parseJson(operations, '`operations`'))
  const [field, path] = soleEntry(parseJson(map, '`map`'))
  const file = form.get(field)
  if (!(file instanceof File) || [...form.keys()].length !== 3) {
    throw badRequest('Exactly one file is needed, in the field that `map` names.')
  }
  if (file.size > fileLimit) throw refused(413, 'PAYLOAD_TOO_LARGE', `The file may have at most ${fileLimit} bytes.`)
  put(params, path, file)
  return params
}

async function readForm(request: Request): Promise<FormData> {
  const body = await readBody(request, formLimit)
  const headers = { 'content-type': request.headers.get('content-type') ?? '' }
  try {
    return await new Response(body, { headers }).formData()
  } catch {
    // The parser says nothing that would help more.
    throw badRequest('The body is no multipart form.')
  }
}

/** `{ "0": ["variables.input.file"] }` → `['0', 'variables.input.file']`. */
function soleEntry(map: unknown): readonly [field: string, path: string] {
  const [entry, ...others] = typeof map === 'object' && map !== null ? Object.entries(map) : []
  const paths: unknown = entry?.[1]
  const path: unknown = Array.isArray(paths) && paths.length === 1 ? paths[0] : undefined
  if (!entry || others.length > 0 || typeof path !== 'string') {
    throw badRequest('`map` must name one file and its one place: {"0": ["variables.input.file"]}.')
  }
  return [entry[0], path]
}

/** Puts the file where the operation says `null`, as the specification demands. */
function put(params: GraphQLParams, path: string, file: File): void {
  const keys = path.split('.')
  const last = keys.pop()
  let place: unknown = keys[0] === 'variables' ? params : null
  for (const key of keys) place = isObject(place) && Object.hasOwn(place, key) ? place[key] : null
  if (last === undefined || !isObject(place) || !Object.hasOwn(place, last) || place[last] !== null) {
    throw badRequest('`map` must lead to a `null` in the variables of `operations`.')
  }
  place[last] = file
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null
