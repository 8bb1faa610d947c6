import { sql, type Sql } from '../../db/reads/pages.ts'
import { check, namePartRule } from './rules.ts'

/**
 * The name contains `part`, case-insensitive; `%` and `_` in the part are literal.
 * @throws ValidationError when no name could contain it
 */
export function nameContains(part: string): Sql {
  check(namePartRule, part, ['filter', 'name'])
  const pattern = `%${part.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return sql`lower(x.name) LIKE lower(${pattern}) ESCAPE '\\'`
}

/** Tests whether `column` is true. Written as the bare column, as the partial indexes declare it. */
export const isTrue = (column: Sql, wanted: boolean): Sql => (wanted ? column : sql`NOT ${column}`)
