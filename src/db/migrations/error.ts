/**
 * The database and the program's migrations do not fit together, or a migration failed. The message says what is wrong,
 * what to do, and what was changed (nothing, unless it says otherwise). For operators: no caller of the API causes it.
 */
export class MigrationError extends Error {
  override readonly name = 'MigrationError'
}
