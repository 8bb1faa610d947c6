import type { Command } from 'commander'

import { deriveKeys } from '../auth/keys.ts'
import { Tokens } from '../auth/tokens.ts'
import { type Config, readConfig } from '../config.ts'
import { knownSecret } from './known-secret.ts'

/** `orrery sign-in`: prints a link that signs in an operator. It needs the secret and the database, not the server. */
export function addSignInCommand(program: Command): void {
  program
    .command('sign-in')
    .description('print a link to GraphiQL that signs in an operator; it works once, within ten minutes')
    .option('--name <name>', 'the name of the operator, shown in messages', 'orrery-cli')
    .action(async ({ name }: { name: string }) => {
      console.log(await makeLink(readConfig(), name))
    })
}

async function makeLink(config: Config, name: string): Promise<string> {
  const secret = await knownSecret(config)
  // Loaded here, so that an agent, which is the same program, does not load a database into memory.
  const [
    { systemOperator },
    { openDatabase },
    { openConnection },
    { assertCurrent },
    { listHealthyReplicas },
    { SignIns },
  ] = await Promise.all([
    import('../auth/system.ts'),
    import('../db/client/client.ts'),
    import('../db/client/connection.ts'),
    import('../db/migrations/index.ts'),
    import('../domain/replicas/replicas.ts'),
    import('../domain/tenants/sign-ins.ts'),
  ])
  const connection = await openConnection(config.databaseUrl)
  try {
    await assertCurrent(connection)
  } finally {
    await connection.close()
  }
  const database = await openDatabase(config.databaseUrl)
  try {
    const operator = systemOperator(database)
    const [instance] = await listHealthyReplicas(operator)
    const url = config.publicUrl ?? instance?.address ?? `http://${config.host}:${config.port}`
    const tokens = new Tokens(deriveKeys(secret).tokenHash)
    return signInLink(url, await new SignIns({ operator, tokens }).makeLink(name))
  } finally {
    await database.close()
  }
}

/** The code follows `#`: browsers do not send that part of an address. */
export const signInLink = (url: string, code: string): string => `${url.replace(/\/$/, '')}/graphql#sign-in=${code}`
