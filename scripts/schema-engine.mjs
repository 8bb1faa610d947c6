// Prisma's schema engine as WASM, in-process: for development and tests only, and only in this file, since the package
// is internal to Prisma (it is pinned to the commit of the client).
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import * as bindings from '@prisma/schema-engine-wasm/schema_engine_bg'

const wasm = createRequire(import.meta.url)
  .resolve('@prisma/schema-engine-wasm')
  .replace('schema_engine.js', 'schema_engine_bg.wasm')
const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(wasm)), {
  './schema_engine_bg.js': bindings,
})
bindings.__wbg_set_wasm(instance.exports)
instance.exports.__wbindgen_start()

/**
 * @param {import('@prisma/driver-adapter-utils').SqlMigrationAwareDriverAdapterFactory} factory the driver adapter
 * @param {string} schema a Prisma schema, as text
 */
export function openSchemaEngine(factory, schema) {
  return bindings.SchemaEngine.new(
    { datamodels: [['schema.prisma', schema]] },
    () => undefined,
    bindMigrationAwareSqlAdapterFactory(factory),
  )
}

/**
 * The SQL that leads from `from` to `to`; empty when they do not differ.
 * @param {Awaited<ReturnType<typeof openSchemaEngine>>} engine
 * @param {import('@prisma/schema-engine-wasm').DiffTarget} from
 * @param {import('@prisma/schema-engine-wasm').DiffTarget} to
 * @returns {Promise<string>}
 */
export async function diff(engine, from, to) {
  const result = await engine.diff({
    from, to, script: true, exitCode: null, shadowDatabaseUrl: null, filters: { externalTables: [], externalEnums: [] },
  })
  return result.stdout
}
