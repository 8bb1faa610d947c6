import { Prisma } from '../generated/sqlite/client.ts'

/** A piece of SQL with bound values. */
export type Sql = Prisma.Sql
export const { sql, join } = Prisma

/** Names of tables and columns, all of them from this program's own code. */
export const raw = (text: string): Sql => Prisma.raw(text)

export const all = (conditions: readonly Sql[]): Sql =>
  conditions.length === 0 ? sql`1 = 1` : join([...conditions], ' AND ')
