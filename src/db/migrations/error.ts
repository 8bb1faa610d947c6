/**
 * The database and the program's migrations do not fit together, or a migration failed. The message names the problem,
 * the remedy, and the changes made (nothing, unless it says otherwise). For operators: no caller of the API causes it.
 */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}

/**
 * The error code of the system (`ENOENT`), of SQLite (`SQLITE_BUSY`) or of PostgreSQL (its SQLSTATE), if there is one.
 */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
