import { type Command, InvalidArgumentError } from 'commander'

import { readConfig } from '../config.ts'
import type { Connection } from '../db/client/connection.ts'
import type * as migrations from '../db/migrations/index.ts'

/** `orrery migrate up | down | status`: migrations by hand; the server migrates by itself at start. */
export function addMigrateCommands(program: Command): void {
  const migrate = program.command('migrate').description('apply, revert or list the migrations of DATABASE_URL')
  migrate
    .command('up')
    .description('apply pending migrations (the server does so at start)')
    .action(() =>
      withConnection(async (connection, { migrateUp }) => {
        const names = await migrateUp(connection)
        console.log(names.length === 0 ? 'Nothing is pending.' : names.map((name) => `applied ${name}`).join('\n'))
      }),
    )
  migrate
    .command('down')
    .description('revert the newest migrations, and delete the data in their tables')
    .option('--steps <number>', 'how many to revert', wholeNumber, 1)
    .action(({ steps }: { steps: number }) =>
      withConnection(async (connection, { migrateDown }) => {
        const names = await migrateDown(connection, steps)
        console.log(names.length === 0 ? 'Nothing is applied.' : names.map((name) => `took back ${name}`).join('\n'))
      }),
    )
  migrate
    .command('status')
    .description('list the migrations, and whether each is applied')
    .action(() =>
      withConnection(async (connection, { migrationStatus }) => {
        for (const { name, state, appliedAt } of await migrationStatus(connection)) {
          console.log(`${state.padEnd(8)} ${name}${appliedAt === null ? '' : `  ${appliedAt.toISOString()}`}`)
        }
      }),
    )
}

type Migrations = typeof migrations

async function withConnection(work: (connection: Connection, commands: Migrations) => Promise<void>): Promise<void> {
  const [{ openConnection }, commands] = await Promise.all([
    import('../db/client/connection.ts'),
    import('../db/migrations/index.ts'),
  ])
  const connection = await openConnection(readConfig().databaseUrl)
  try {
    await work(connection, commands)
  } finally {
    await connection.close()
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 is needed')
  return Number(text)
}
