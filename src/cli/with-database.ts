import { deriveKeys } from '../auth/keys.ts'
import type { Operator } from '../auth/scope.ts'
import { Tokens } from '../auth/tokens.ts'
import type { Config } from '../config.ts'
import { knownSecret } from './known-secret.ts'
import { UsageError } from './usage-error.ts'

/** The installation, as a command works on it. */
export interface Installation {
  readonly operator: Operator
  /** Made and hashed under the present secret. */
  readonly tokens: Tokens
}

/** By name, since their classes are in modules that only some commands load. */
const refusals = ['ConflictError', 'LimitError', 'NotFoundError', 'ValidationError']

/**
 * Works on the database of the configuration, beside servers that run. On PostgreSQL they hear of each change before
 * this returns; on SQLite, the server finds it at its next check.
 * @throws UsageError when the work was refused, or there is no secret yet; MigrationError for another schema
 */
export async function withDatabase<Result>(
  config: Config,
  work: (installation: Installation) => Promise<Result>,
): Promise<Result> {
  const tokens = new Tokens(deriveKeys(await knownSecret(config)).tokenHash)
  // Loaded here, so that an agent, which is the same program, does not load a database into memory.
  const [
    { commandLineOperator },
    { createLog },
    { openDatabase },
    { openConnection },
    { assertCurrent },
    { startNoticeBridge },
  ] = await Promise.all([
    import('../auth/system.ts'),
    import('../base/log.ts'),
    import('../db/client/client.ts'),
    import('../db/client/connection.ts'),
    import('../db/migrations/index.ts'),
    import('../db/notify/bridge.ts'),
  ])
  const connection = await openConnection(config.databaseUrl)
  try {
    await assertCurrent(connection)
  } finally {
    await connection.close()
  }
  const database = await openDatabase(config.databaseUrl)
  try {
    const bridge = await startNoticeBridge(database, { log: createLog(config.logLevel) })
    try {
      return await work({ operator: commandLineOperator(database), tokens })
    } finally {
      await bridge.close()
    }
  } catch (error) {
    throw error instanceof Error && refusals.includes(error.name) ? new UsageError(error.message) : error
  } finally {
    await database.close()
  }
}
