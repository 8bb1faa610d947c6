import { type Command, InvalidArgumentError } from 'commander'

import { readConfig } from '../config.ts'
import { type Connection, openConnection } from '../db/connection.ts'
import { migrateDown, migrateUp, migrationStatus } from '../db/migrations/index.ts'

/** `orrery migrate up | down | status`: the server migrates by itself at start; these are for doing it by hand. */
export function addMigrateCommands(program: Command): void {
  const migrate = program.command('migrate').description('apply, take back or list the migrations of DATABASE_URL')
  migrate
    .command('up')
    .description('apply what is pending (the server does so at start)')
    .action(() =>
      withConnection(async (connection) => {
        const names = await migrateUp(connection)
        console.log(names.length === 0 ? 'Nothing is pending.' : names.map((name) => `applied ${name}`).join('\n'))
      }),
    )
  migrate
    .command('down')
    .description('take back the newest migrations, with the data in their tables')
    .option('--steps <number>', 'how many', wholeNumber, 1)
    .action(({ steps }: { steps: number }) =>
      withConnection(async (connection) => {
        const names = await migrateDown(connection, steps)
        console.log(names.length === 0 ? 'Nothing is applied.' : names.map((name) => `took back ${name}`).join('\n'))
      }),
    )
  migrate
    .command('status')
    .description('list the migrations and whether the database has them')
    .action(() =>
      withConnection(async (connection) => {
        for (const { name, state, appliedAt } of await migrationStatus(connection)) {
          console.log(`${state.padEnd(8)} ${name}${appliedAt === null ? '' : `  ${appliedAt.toISOString()}`}`)
        }
      }),
    )
}

async function withConnection(work: (connection: Connection) => Promise<void>): Promise<void> {
  const connection = await openConnection(readConfig().databaseUrl)
  try {
    await work(connection)
  } finally {
    await connection.close()
  }
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('a whole number from 1 is needed')
  return Number(text)
}
