import type Sqlite from 'better-sqlite3'

/** A value of a statement; a list is one value, as JSON. */
export type PlainValue = string | number | readonly string[]

/** Rows as the driver returns them, and the names of their columns. */
export interface RawRows {
  readonly names: readonly string[]
  readonly rows: readonly (readonly unknown[])[]
}

interface Statement {
  readonly query: Sqlite.Statement<(string | number)[], unknown[]>
  readonly names: readonly string[]
}

/** Prepared statements that are kept: some dozens of shapes, and on SQLite some with one per number of parents. */
export const keptStatements = 500

/** Runs SELECTs on a connection to a SQLite file, each of which is prepared once. */
export function sqliteStatements(database: Sqlite.Database): (sql: string, values: readonly PlainValue[]) => RawRows {
  const statements = new Map<string, Statement>()
  const prepared = (sql: string): Statement => {
    const known = statements.get(sql)
    if (known) return known
    if (statements.size >= keptStatements) statements.clear()
    const query = database.prepare<(string | number)[], unknown[]>(sql).raw()
    const statement = { query, names: query.columns().map(({ name }) => name) }
    statements.set(sql, statement)
    return statement
  }
  return (sql, values) => {
    const { query, names } = prepared(sql)
    const given = values.map((value) => (typeof value === 'object' ? JSON.stringify(value) : value))
    return { names, rows: query.all(...given) }
  }
}
