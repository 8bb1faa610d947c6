import { sql, type Sql } from '../db/pages.ts'

/** `column` contains `part`, upper and lower case alike; the part's own `%` and `_` mean themselves. */
export function contains(column: Sql, part: string): Sql {
  const pattern = `%${part.replace(/[\\%_]/g, (mark) => `\\${mark}`)}%`
  return sql`lower(${column}) LIKE lower(${pattern}) ESCAPE '\\'`
}

/** `column` is or is not true. Written as the bare column, since the partial indexes are declared with it. */
export const isTrue = (column: Sql, wanted: boolean): Sql => (wanted ? column : sql`NOT ${column}`)
