import type { GraphQLParams } from 'graphql-yoga'

import { readBody } from './body.ts'
import { asParams, badRequest, parseJson } from './params.ts'
import { refused } from './responses.ts'
import { jsonLimit } from './use-request-parsers.ts'

/** Bytes of the one file, and of the whole form: the file, the operation that it belongs to, and what is around both. */
export const fileLimit = 10 * 1024 * 1024
export const formLimit = fileLimit + jsonLimit + 20_000

/**
 * Reads a form with one operation and one file
 * (GraphQL multipart request specification, github.com/jaydenseric/graphql-multipart-request-spec).
 */
export async function paramsFromForm(request: Request): Promise<GraphQLParams> {
  const form = await readForm(request)
  const operations = form.get('operations')
  const map = form.get('map')
  if (typeof operations !== 'string' || typeof map !== 'string') {
    throw badRequest('The form needs the fields `operations` and `map`, each a JSON text.')
  }
  if (operations.length > jsonLimit) {
    throw refused(413, 'PAYLOAD_TOO_LARGE', `\`operations\` may have at most ${jsonLimit} characters.`)
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
