import type { SpooledFile } from '../../base/limits/spool.ts'
import { readForm } from './form-reader.ts'
import type { Incoming } from '../pipeline/incoming.ts'
import { asParams, jsonLimit, parseJson, type Params } from '../graphql/params.ts'
import { badRequest, refused } from '../pipeline/refusals.ts'

/** Largest size in bytes of the one file, and of the whole form: file, operation and multipart overhead. */
export const fileLimit = 10 * 1024 * 1024
export const formLimit = fileLimit + jsonLimit + 20_000
const limits = { form: formLimit, field: jsonLimit, file: fileLimit }

/** Largest size of `map` in bytes; it has only one entry. */
const mapLimit = 1000

/**
 * Reads a form with one operation and one file
 * (GraphQL multipart request specification, github.com/jaydenseric/graphql-multipart-request-spec).
 * @param content receives the file's bytes, and becomes the value of the variable that the operation leaves open
 */
export async function paramsFromForm(request: Incoming, content: SpooledFile): Promise<Params> {
  const { fields, fileField } = await readForm(request, limits, content)
  const operations = fields.get('operations')
  const map = fields.get('map')
  if (operations === undefined || map === undefined) {
    throw badRequest('The form needs the fields `operations` and `map`, each a JSON text.')
  }
  if (map.length > mapLimit) throw refused(413, 'PAYLOAD_TOO_LARGE', `\`map\` may have at most ${mapLimit} bytes.`)
  const params = asParams(parseJson(operations, '`operations`'))
  const [field, path] = soleEntry(parseJson(map, '`map`'))
  if (fileField !== field) throw badRequest('Exactly one file is needed, in the field that `map` names.')
  put(params, path, content)
  return params
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

/** Puts the file in place of a `null` in the variables, as the specification demands. */
function put(params: Params, path: string, file: SpooledFile): void {
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
