// Prisma's schema engine as WASM, in-process: for tests only, and only in this file, since the package is internal to
// Prisma (it is pinned to the commit of the client).
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { PrismaBetterSqlite3 } from '@prisma/adapter-better-sqlite3'
import { PrismaPg } from '@prisma/adapter-pg'
import {
  bindMigrationAwareSqlAdapterFactory,
  ColumnTypeEnum,
  type SqlDriverAdapter,
  type SqlMigrationAwareDriverAdapterFactory,
  type SqlQuery,
  type SqlResultSet,
} from '@prisma/driver-adapter-utils'
import type { DiagnoseMigrationHistoryOutput, MigrationList } from '@prisma/schema-engine-wasm'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'

import type { TestDatabase } from './database.ts'

/** The engine on one database, with schema.prisma as the target. */
export interface SchemaEngine {
  /** The SQL from an empty database, or from the open one, to schema.prisma, if any. Prisma does not see CHECKs. */
  diff(from: 'empty' | 'database'): Promise<string>
  /** The checks of `prisma migrate status`; `history` is null when database and files agree. */
  diagnose(folder: string): Promise<DiagnoseMigrationHistoryOutput>
  /** The work of `prisma migrate deploy`; returns the names of the migrations that it applied. */
  deploy(folder: string): Promise<string[]>
  /** Closes its connections. Needed before another program opens a SQLite file: the engine keeps it locked. */
  close(): Promise<void>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
/** scripts/generate.mjs writes the second one, with only the provider replaced. */
const schemas = {
  sqlite: `${root}prisma/schema.prisma`,
  postgresql: `${root}src/db/generated/postgresql-schema/schema.prisma`,
}
const filters = { externalTables: [], externalEnums: [] }

let loaded = false

function loadWasm(): void {
  if (loaded) return
  const file = createRequire(import.meta.url)
    .resolve('@prisma/schema-engine-wasm')
    .replace('schema_engine.js', 'schema_engine_bg.wasm')
  // Its timers (how long to wait for a lock) outlive their purpose, and would keep the tests from ending.
  const timers = Object.keys(bindings).filter((name) => name.startsWith('__wbg_setTimeout'))
  const setTimer = (callback: () => void, milliseconds: number) => setTimeout(callback, milliseconds).unref()
  const imports = { ...bindings, ...Object.fromEntries(timers.map((name) => [name, setTimer])) }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
    './schema_engine_bg.js': imports as unknown as WebAssembly.ModuleImports,
  })
  // The package leaves this step to bundlers.
  bindings.__wbg_set_wasm(exports)
  const start = exports['__wbindgen_start'] as () => void
  start()
  loaded = true
}

/** Opens the engine on a database. */
export async function openSchemaEngine({ engine: provider, url }: TestDatabase): Promise<SchemaEngine> {
  loadWasm()
  const files = [{ path: 'schema.prisma', content: readFileSync(schemas[provider], 'utf8') }]
  const { factory, close } = withClose(
    provider === 'sqlite' ? new PrismaBetterSqlite3({ url }) : new PrismaPg({ connectionString: url }),
  )
  const engine = await bindings.SchemaEngine.new(
    { datamodels: files.map(({ path, content }) => [path, content]) },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  )
  return {
    async diff(start) {
      const from =
        start === 'empty'
          ? { tag: 'empty' as const }
          : { tag: 'schemaDatasource' as const, files, configDir: `${root}prisma` }
      const to = { tag: 'schemaDatamodel' as const, files }
      const result = await engine.diff({ from, to, script: true, exitCode: null, filters })
      return (result.stdout ?? '').replace('-- This is an empty migration.\n', '')
    },
    diagnose(folder) {
      const migrationsList = listMigrations(folder, provider)
      return engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters })
    },
    async deploy(folder) {
      const result = await engine.applyMigrations({ migrationsList: listMigrations(folder, provider), filters })
      return result.appliedMigrationNames
    },
    close,
  }
}

/** Columns of PostgreSQL's internal one-byte type, which the adapter cannot read; the engine wants characters. */
const oneByte = new Set(['constraint_type', 'confdeltype', 'confupdtype'])

/**
 * Some of the engine's queries do not pass through the adapters unchanged: those with one-byte columns, and a text in
 * double quotes, which better-sqlite3's SQLite takes for the name of a column.
 */
async function ask(queryRaw: SqlDriverAdapter['queryRaw'], query: SqlQuery): Promise<SqlResultSet> {
  const sql = query.sql
    .replace(/^(SELECT sql FROM sqlite_master .* name = )"([^"]*)"/, "$1'$2'")
    .replace('constr.contype AS', 'constr.contype::text AS')
    .replace(/con\.(confdeltype|confupdtype),/g, 'con.$1::text,')
  const result = await queryRaw({ ...query, sql })
  const columnTypes = result.columnTypes.map((type, index) =>
    oneByte.has(result.columnNames[index] ?? '') ? ColumnTypeEnum.Character : type,
  )
  return { ...result, columnTypes }
}

/** The engine never closes what it opens. */
function withClose(official: SqlMigrationAwareDriverAdapterFactory) {
  const opened: SqlDriverAdapter[] = []
  const keep = async (opening: Promise<SqlDriverAdapter>) => {
    const connection = await opening
    const queryRaw = connection.queryRaw.bind(connection)
    connection.queryRaw = (query) => ask(queryRaw, query)
    opened.push(connection)
    return connection
  }
  const factory: SqlMigrationAwareDriverAdapterFactory = {
    provider: official.provider,
    adapterName: official.adapterName,
    connect: () => keep(official.connect()),
    connectToShadowDb: () => keep(official.connectToShadowDb()),
  }
  return {
    factory,
    close: async () => {
      for (const connection of opened.splice(0)) await connection.dispose()
    },
  }
}

/** Prisma's CLI reads the files; the engine gets them as arguments. */
function listMigrations(folder: string, provider: string): MigrationList {
  const baseDir = `${folder}/${provider}`
  const read = (path: string) => readFileSync(`${baseDir}/${path}`, 'utf8')
  const names = readdirSync(baseDir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: read('migration_lock.toml') },
    shadowDbInitScript: '',
    migrationDirectories: names.sort().map((name) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: read(`${name}/migration.sql`) } },
    })),
  }
}
