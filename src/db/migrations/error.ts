/**
 * The database and the program's migrations do not fit together, or a migration failed. The message says what is wrong,
 * what to do, and what was changed (nothing, unless it says otherwise). For operators: no caller of the API causes it.
 */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/** The code of a failure of the system (`ENOENT`), of SQLite (`SQLITE_BUSY`) or of PostgreSQL (its SQLSTATE), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
