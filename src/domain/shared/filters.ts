import { sql, type Sql } from '../../db/reads/pages.ts'
import { check, namePartRule } from './rules.ts'

/**
 * The name contains `part`, upper and lower case alike; the part's own `%` and `_` mean themselves.
 * @throws ValidationError when no name could contain it
 */
export function nameContains(part: string): Sql {
  check(namePartRule, part, ['filter', 'name'])
  const pattern = `%${part.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return sql`lower(x.name) LIKE lower(${pattern}) ESCAPE '\\'`
}

/** `column` is or is not true. Written as the bare column, since the partial indexes are declared with it. */
export const isTrue = (column: Sql, wanted: boolean): Sql => (wanted ? column : sql`NOT ${column}`)
