import { type Command, InvalidArgumentError, Option } from 'commander'

import { mintJwt } from '../auth/jwt.ts'
import { deriveKeys } from '../auth/keys.ts'
import { tenantRoles, type TenantRole } from '../auth/session.ts'
import { isId } from '../base/ids.ts'
import { readConfig } from '../config.ts'
import { knownSecret } from './known-secret.ts'
import { UsageError } from './usage-error.ts'

interface CreateOptions {
  readonly role: 'operator' | TenantRole
  readonly tenant?: string
  readonly subject: string
  readonly ttl: number
}

/** `orrery token create`: mints a JWT under the installation's secret. It needs the secret, not the server. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('make credentials for people')
  token
    .command('create')
    .description('print a JWT, which is valid until it expires or its secret is removed')
    .addOption(
      new Option('--role <role>', 'what its holder may do').choices(['operator', ...tenantRoles]).makeOptionMandatory(),
    )
    .option('--tenant <id>', 'the tenant of its holder, for every role but operator', tenantId)
    .option('--subject <name>', 'the name of its holder, shown in messages', 'orrery-cli')
    .option('--ttl <duration>', 'how long it is valid, such as 30m, 12h or 7d (at most 365d)', seconds, 12 * 3600)
    .action(async ({ role, tenant, subject, ttl }: CreateOptions) => {
      const known = await knownSecret(readConfig())
      if (role === 'operator' && tenant !== undefined)
        throw new UsageError('An operator belongs to no tenant: leave --tenant out.')
      console.log(await mintJwt(deriveKeys(known).jwt, claims(role, tenant), { subject, lifetime: ttl }))
    })
}

function claims(role: CreateOptions['role'], tenant: string | undefined) {
  if (role === 'operator') return { role }
  if (tenant === undefined) throw new UsageError(`The role ${role} needs --tenant <id>.`)
  return { role, tenantId: tenant }
}

function tenantId(text: string): string {
  if (!isId(text.toLowerCase())) throw new InvalidArgumentError('the id of a tenant is a UUID')
  return text.toLowerCase()
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

function seconds(text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,8})([smhd])$/.exec(text) ?? []
  const length = Number(count) * (unitSeconds[unit] ?? 0)
  if (length < 1 || length > 365 * 86_400) throw new InvalidArgumentError('try 30m, 12h or 7d; at most 365d')
  return length
}
