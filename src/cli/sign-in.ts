import type { Command } from 'commander'

import { type Config, readConfig } from '../config.ts'
import { withDatabase } from './with-database.ts'

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
  return withDatabase(config, async ({ operator, tokens }) => {
    const [{ listHealthyReplicas }, { SignIns }] = await Promise.all([
      import('../domain/replicas/replicas.ts'),
      import('../domain/tenants/sign-ins.ts'),
    ])
    const [instance] = await listHealthyReplicas(operator)
    const url = config.publicUrl ?? instance?.address ?? `http://${config.host}:${config.port}`
    return signInLink(url, await new SignIns({ operator, tokens }).makeLink(name))
  })
}

/** The code follows `#`: browsers do not send that part of an address. */
export const signInLink = (url: string, code: string): string => `${url.replace(/\/$/, '')}/graphql#sign-in=${code}`
