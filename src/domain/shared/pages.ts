import { ValidationError } from '../../base/errors.ts'
import { check, namePartRule } from './rules.ts'

export { keyValue, type KeyValue } from '../../db/reads/order.ts'
export type { List, Window } from '../../db/reads/pages.ts'

/** How large a filter may be: fields with a value, filters within filters, and elements of one list. */
export const filterLimits = { conditions: 50, depth: 5, elements: 50 }

/**
 * The filter of a list, checked. Its texts are parts of names, or no longer than those.
 * @param at where the caller gave it
 * @throws ValidationError when no name could contain a text, and when the filter is too large
 */
export function filterBy<Filter extends object>(filter: Filter, at: readonly string[] = ['filter']): Filter {
  let conditions = 0
  const visit = (value: unknown, path: readonly string[], depth: number): void => {
    if (value === null || value === undefined) return
    if (depth > filterLimits.depth)
      throw ValidationError.at(path, 'TOO_MANY', `must not be nested deeper than ${filterLimits.depth}`)
    if (Array.isArray(value)) {
      if (value.length === 0) throw ValidationError.at(path, 'REQUIRED', 'must not be empty')
      if (value.length > filterLimits.elements) {
        throw ValidationError.at(path, 'TOO_MANY', `must have at most ${filterLimits.elements} elements`)
      }
      value.forEach((element, index) => visit(element, [...path, String(index)], depth))
    } else if (typeof value === 'object' && !(value instanceof Date)) {
      for (const [name, field] of Object.entries(value)) {
        visit(field, [...path, name], combining.has(name) ? depth + 1 : depth)
      }
    } else {
      conditions += 1
      if (conditions > filterLimits.conditions) {
        throw ValidationError.at(at, 'TOO_MANY', `must have at most ${filterLimits.conditions} conditions`)
      }
      if (typeof value === 'string') check(namePartRule, value, path)
    }
  }
  visit(filter, at, 1)
  return filter
}

const combining = new Set(['and', 'or', 'not'])
