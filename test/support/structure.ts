import type { Connection } from '../../src/db/client/connection.ts'

/** Everything a migration may change, as sorted lines: columns, constraints and indexes, without Prisma's ledger. */
export async function structureOf(connection: Connection): Promise<string[]> {
  const rows = await connection.query(connection.engine === 'sqlite' ? sqlite : postgresql)
  return rows.map((row) => String(row['line'])).sort()
}

const sqlite = `SELECT sql AS line FROM sqlite_master WHERE sql IS NOT NULL AND name <> '_prisma_migrations'`

/** PostgreSQL's column numbers continue after dropped columns; only the order counts. */
const postgresql = `
  SELECT concat_ws(' ', 'column', table_name, rank() OVER (PARTITION BY table_name ORDER BY ordinal_position),
      column_name, data_type, is_nullable, column_default) AS line
    FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> '_prisma_migrations'
  UNION ALL
  SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> to_regclass('_prisma_migrations')
  UNION ALL
  SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> '_prisma_migrations'`

/** Each index except those of primary keys: name → `UNIQUE table (columns) WHERE condition`, alike on both engines. */
export async function indexesOf(connection: Connection): Promise<Record<string, string>> {
  const rows = await connection.query(
    connection.engine === 'sqlite'
      ? `SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL`
      : `SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = 'public' AND indexname NOT LIKE '%\\_pkey'`,
  )
  return Object.fromEntries(rows.map(({ name, sql }) => [String(name), plain(String(sql))]))
}

function plain(sql: string): string {
  const one = sql
    .replaceAll('"', '')
    .replace(/\s+/g, ' ')
    // Expressions differ between the engines; that lists use them is tested with the plans of lists.
    .replace(/(\(|, )[( ]*CASE .* END\)*(?=, )/, '$1number of overlay_ip')
    .replace(/coalesce\((\w+), [^,]*\)(?=, )/i, 'value of $1')
  const [, unique = '', rest = ''] = /^CREATE (UNIQUE )?INDEX \S+ ON (.*)$/.exec(one) ?? []
  const [table = '', ...definition] = rest
    .replace('public.', '')
    .replace(' USING btree', '')
    .split(/ ?(?=\()/)
  const where = definition.join(' ').replace(/::(text|jsonb)/, '')
  return `${unique}${table} ${where.replace(/WHERE \((.*)\)$/, 'WHERE $1')}`
}

/** Each foreign key, e.g. `nodes (tenant_id) → tenants (id), CASCADE when it is deleted`. */
export async function foreignKeysOf(connection: Connection): Promise<string[]> {
  const rows = await connection.query(
    connection.engine === 'sqlite'
      ? `SELECT m.name AS "table", group_concat(k."from", ', ' ORDER BY k.seq) AS columns, k."table" AS parent,
           group_concat(k."to", ', ' ORDER BY k.seq) AS keys, k.on_delete AS action
         FROM sqlite_master m, pragma_foreign_key_list(m.name) k WHERE m.type = 'table' GROUP BY m.name, k.id`
      : `SELECT conrelid::regclass AS "table", confrelid::regclass AS parent, pg_get_constraintdef(oid) AS definition,
           CASE confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'nothing' END AS action
         FROM pg_constraint WHERE contype = 'f'`,
  )
  return rows.map(describeKey).sort()
}

function describeKey(row: Record<string, unknown>): string {
  const [, columns = row['columns'], keys = row['keys']] =
    /FOREIGN KEY \((.*?)\) REFERENCES \w+\((.*?)\)/.exec(String(row['definition'])) ?? []
  return `${String(row['table'])} (${String(columns)}) → ${String(row['parent'])} (${String(keys)}), ${String(row['action'])}`
}

/** The names of all CHECK constraints. */
export async function checksOf(connection: Connection): Promise<string[]> {
  if (connection.engine === 'postgresql') {
    const rows = await connection.query(`SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid <> 0
      AND connamespace = 'public'::regnamespace`)
    return rows.map((row) => String(row['conname'])).sort()
  }
  const lines = await structureOf(connection)
  return lines.flatMap((line) => [...line.matchAll(/CONSTRAINT "(\w+)" CHECK/g)].map(([, name = '']) => name)).sort()
}
