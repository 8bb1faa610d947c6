import { type Command, InvalidArgumentError, Option } from 'commander'

import { longestLifetime, mintJwt } from '../auth/jwt.ts'
import { deriveKeys } from '../auth/keys.ts'
import { type Config, readConfig } from '../config.ts'
import type { PersonRole } from '../domain/tenants/access-tokens.ts'
import { addTokenListCommand } from './token-list.ts'
import { knownSecret } from './known-secret.ts'
import { UsageError } from './usage-error.ts'
import { tenantRoles } from '../auth/session.ts'
import { clusterId, credentialId, durationOf, tenantId } from './option-values.ts'
import { withDatabase } from './with-database.ts'

interface CreateOptions {
  readonly role: PersonRole
  readonly tenant?: string
  /** Of an access token: the only clusters that it reaches. */
  readonly cluster?: readonly string[]
  readonly name: string
  readonly jwt: boolean
  /** Seconds. */
  readonly ttl?: number
  readonly expires?: Date
}

/** Of an access token, in seconds. */
const usualLifetime = 90 * 86_400

/** `orrery token …`: credentials of people and scripts, made and revoked beside a server or without one. */
export function addTokenCommands(program: Command): void {
  const token = program.command('token').description('make, list and revoke credentials of people and scripts')
  token
    .command('create')
    .description(
      'print an access token, once: it is valid until it expires or is revoked (token list, token revoke); ' +
        'or with --jwt, a JWT, which cannot be revoked and is valid for an hour at most',
    )
    .addOption(
      new Option('--role <role>', 'what its holder may do').choices(['operator', ...tenantRoles]).makeOptionMandatory(),
    )
    .option('--tenant <id>', 'the tenant of its holder, for every role but operator', tenantId)
    .option(
      '--cluster <id>',
      'limit it to this cluster of the tenant; may be given several times',
      (text: string, before: readonly string[] | undefined) => [...(before ?? []), clusterId(text)],
    )
    .option('--name <name>', 'whose it is, or what it is for: shown in lists and messages', 'orrery-cli')
    .addOption(
      new Option('--ttl <duration>', 'how long it is valid, such as 12h or 90d (at most 366d; default 90d)').argParser(
        durationOf,
      ),
    )
    .addOption(
      new Option('--expires <time>', 'when it ends, such as 2027-06-30 or 2027-06-30T12:00:00Z')
        .argParser(timeOf)
        .conflicts('ttl'),
    )
    .addOption(
      new Option('--jwt', 'print a JWT for a script; it needs the secret alone, no database (--ttl at most 1h)')
        .default(false)
        .conflicts('expires'),
    )
    .action(async (options: CreateOptions) => {
      const { role, tenant, jwt, cluster } = options
      if (jwt && cluster !== undefined) throw new UsageError('A JWT is not limited to clusters: leave --jwt out.')
      if (role === 'operator' && tenant !== undefined)
        throw new UsageError('An operator belongs to no tenant: leave --tenant out.')
      if (role !== 'operator' && tenant === undefined)
        throw new UsageError(`A role such as ${role} needs --tenant <id>.`)
      console.log(await (jwt ? jwtOf(readConfig(), options) : accessTokenOf(readConfig(), options)))
    })
  addTokenListCommand(token)
  token
    .command('revoke')
    .description(
      'revoke an access token or a session by its id: the next request with it is refused, and its streams end: at once ' +
        'on PostgreSQL, on SQLite within half a minute',
    )
    .argument('<id>', 'as token list shows it', credentialId)
    .action(async (id: string) => {
      await withDatabase(readConfig(), async ({ operator }) => {
        const { revokeCredential } = await import('../domain/tenants/access-tokens.ts')
        await revokeCredential(operator, id)
      })
      console.log('Revoked.')
    })
}

async function jwtOf(config: Config, { role, tenant, name, ttl = longestLifetime }: CreateOptions): Promise<string> {
  if (ttl > longestLifetime) throw new UsageError('A JWT is valid for at most 1h: it cannot be revoked.')
  const { jwt } = deriveKeys(await knownSecret(config))
  const claims =
    role === 'operator' || tenant === undefined ? { role: 'operator' as const } : { role, tenantId: tenant }
  return mintJwt(jwt, claims, { subject: name, lifetime: ttl })
}

function accessTokenOf(
  config: Config,
  { role, tenant: tenantId, cluster: clusterIds, name, ttl, expires }: CreateOptions,
): Promise<string> {
  return withDatabase(config, async ({ operator: scope, tokens }) => {
    const { createAccessToken } = await import('../domain/tenants/access-tokens.ts')
    const expiresAt = expires ?? new Date(Date.now() + (ttl ?? usualLifetime) * 1000)
    const { token } = await createAccessToken(
      { scope, tokens, credentialId: null },
      { role, tenantId, clusterIds, name, expiresAt },
    )
    return token
  })
}

function timeOf(text: string): Date {
  const time = new Date(text)
  const isWhole = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(\.\d{1,3})?(Z|[+-]\d\d:\d\d))?$/.test(text)
  if (isWhole && Number.isFinite(time.getTime())) return time
  throw new InvalidArgumentError('try 2027-06-30 or 2027-06-30T12:00:00Z')
}
