import { type Command, Option } from 'commander'

import type { TenantRole } from '../auth/session.ts'
import { type Config, readConfig } from '../config.ts'
import { tenantRoles } from '../auth/session.ts'
import { UsageError } from './usage-error.ts'
import { withDatabase } from './with-database.ts'

interface SignInOptions {
  readonly name: string
  readonly tenant?: string
  readonly role?: TenantRole
}

/** `orrery sign-in`: prints a link that signs somebody in. It needs the secret and the database, not the server. */
export function addSignInCommand(program: Command): void {
  program
    .command('sign-in')
    .description(
      'print a link to the admin page that signs in an operator, or with --tenant one of its people; it works once, within ten minutes',
    )
    .option('--name <name>', 'the name of who signs in, shown in messages', 'orrery-cli')
    .option('--tenant <id or name>', 'the tenant to which the link belongs')
    .addOption(new Option('--role <role>', 'what its holder may do in the tenant').choices(tenantRoles))
    .action(async (options: SignInOptions) => {
      const { tenant, role } = options
      if ((tenant === undefined) !== (role === undefined)) {
        throw new UsageError('Give --tenant and --role together, or neither to sign in an operator.')
      }
      console.log(await makeLink(readConfig(), options))
    })
}

async function makeLink(config: Config, { name, tenant, role }: SignInOptions): Promise<string> {
  return withDatabase(config, async ({ operator, tokens }) => {
    const [{ listHealthyReplicas }, { SignIns }, { tenantByIdOrName }] = await Promise.all([
      import('../domain/replicas/replicas.ts'),
      import('../domain/tenants/sign-ins.ts'),
      import('../domain/tenants/tenants.ts'),
    ])
    const [instance] = await listHealthyReplicas(operator)
    const url = config.publicUrl ?? instance?.address ?? `http://${config.host}:${config.port}`
    const signIns = new SignIns({ operator, tokens })
    if (tenant === undefined || role === undefined) return signInLink(url, await signIns.makeLink(name))
    const { id: tenantId } = await tenantByIdOrName(operator, tenant)
    return signInLink(url, await signIns.makeLink(name, { role, tenantId }))
  })
}

/** The code follows `#`: browsers do not send that part of an address. */
export const signInLink = (url: string, code: string): string => `${url.replace(/\/$/, '')}/sign-in#${code}`
