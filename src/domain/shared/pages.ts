import { check, namePartRule } from './rules.ts'

export type { List, Window } from '../../db/reads/pages.ts'

/**
 * The filter of a list, whose `name` is a part of a name.
 * @throws ValidationError when no name could contain it
 */
export function filterBy<Filter extends { readonly name?: string | null | undefined }>(filter: Filter): Filter {
  if (filter.name) check(namePartRule, filter.name, ['filter', 'name'])
  return filter
}
