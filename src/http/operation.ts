import { isUtf8 } from 'node:buffer'

/** A request's operation, in the one form that is plain. */
export interface Operation {
  readonly query: string
  readonly variables: Record<string, unknown> | undefined
  readonly operationName: string | undefined
}

const names = new Set(['query', 'variables', 'operationName'])

/** The operation in a body; null where it is not plain. */
export function operationIn(body: Buffer): Operation | null {
  const params = isUtf8(body) ? parsed(body.toString()) : null
  if (typeof params !== 'object' || params === null || !Object.keys(params).every((name) => names.has(name)))
    return null
  const { query, variables, operationName } = params as Record<string, unknown>
  if (typeof query !== 'string' || query === '') return null
  if (typeof (variables ?? {}) !== 'object' || Array.isArray(variables)) return null
  if (typeof (operationName ?? '') !== 'string') return null
  return {
    query,
    variables: (variables as Operation['variables'] | null) ?? undefined,
    operationName: (operationName as string | null) ?? undefined,
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The usual way says what is wrong with it.
    return null
  }
}
