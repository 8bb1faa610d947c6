import * as z from 'zod'

import { groupRules } from './auth/group-rules.ts'
import type { IdentityProviderSettings } from './auth/identity-provider.ts'
import { minimumSecretLength } from './auth/keys.ts'
import { isAddressOrRange } from './base/limits/client-addresses.ts'

/** The configuration of the process. Only this file reads the environment. */
export interface Config {
  readonly databaseUrl: string
  /** PostgreSQL: how long a statement may take before its connection is closed, in milliseconds. */
  readonly statementDeadline: number
  /** Null: a secret is generated at the first start and kept in the data folder (SQLite only). */
  readonly secret: string | null
  /** Former secrets, with which tokens, JWTs and sealed keys may still have been made. */
  readonly previousSecrets: readonly string[]
  readonly dataDir: string
  readonly host: string
  readonly port: number
  /** The URL at which clients reach this instance, and its address as a replica; null: the URL at which it listens. */
  readonly publicUrl: string | null
  readonly corsOrigins: readonly string[]
  readonly introspection: 'authenticated' | 'everyone' | 'nobody'
  readonly logLevel: string
  /** How many dry runs, uploads, diffs and archive downloads may run and wait. */
  readonly expensive: { readonly running: number; readonly waitingOfOwner: number; readonly waiting: number }
  /** Requests without a valid credential that an address may make per second and in a burst; proxies to trust. */
  readonly strangers: { readonly perSecond: number; readonly burst: number; readonly trustedProxies: readonly string[] }
  /** How many streams may be open at once. */
  readonly streams: { readonly ofNode: number; readonly ofPerson: number; readonly ofTenant: number }
  /** For how many days audit events are kept; 0 for ever. */
  readonly auditRetentionDays: number
  /** Bytes of all uploads together that are kept in memory; the rest waits in the data folder. */
  readonly uploadMemory: number
  readonly identityProvider: IdentityProviderSettings | null
}

/** The configuration is invalid; the message names every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' })

const shape = z.object({
  DATABASE_URL: z
    .string()
    .regex(/^(file:.|postgres(ql)?:\/\/)/, 'must begin with file: (SQLite) or postgresql:// (PostgreSQL)')
    .default('file:./data/orrery.db'),
  ORRERY_DATABASE_STATEMENT_SECONDS: z.coerce.number().int().min(4).max(600).default(8),
  ORRERY_SECRET: z
    .string()
    .min(minimumSecretLength, `must have at least ${minimumSecretLength} characters; try: openssl rand -hex 32`)
    .optional(),
  ORRERY_SECRET_PREVIOUS: z
    .string()
    .transform((list) => list.split(',').map((one) => one.trim()))
    .pipe(z.array(z.string().min(minimumSecretLength, `must be secrets of at least ${minimumSecretLength} characters`)))
    .default([]),
  ORRERY_DATA_DIR: z.string().default('./data'),
  ORRERY_HOST: z.string().default('127.0.0.1'),
  ORRERY_PORT: z.coerce.number().int().min(0).max(65535).default(4000),
  ORRERY_PUBLIC_URL: httpUrl.optional(),
  ORRERY_CORS_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .pipe(z.array(httpUrl.refine(isOrigin, 'must be origins such as https://admin.example.com, separated by commas')))
    .default([]),
  ORRERY_INTROSPECTION: z.enum(['authenticated', 'everyone', 'nobody']).default('authenticated'),
  ORRERY_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  ORRERY_EXPENSIVE_RUNNING: z.coerce.number().int().min(1).max(64).default(2),
  ORRERY_EXPENSIVE_WAITING_OF_TENANT: z.coerce.number().int().min(1).max(1000).default(8),
  ORRERY_EXPENSIVE_WAITING: z.coerce.number().int().min(1).max(10_000).default(64),
  ORRERY_STRANGERS_PER_SECOND: z.coerce.number().int().min(1).max(100_000).default(20),
  ORRERY_STRANGERS_BURST: z.coerce.number().int().min(1).max(100_000).default(100),
  ORRERY_TRUSTED_PROXIES: z
    .string()
    .transform((list) => list.split(',').map((one) => one.trim()))
    .pipe(
      z.array(
        z.string().refine(isAddressOrRange, 'must be addresses and CIDRs such as 10.0.0.0/8, separated by commas'),
      ),
    )
    .default([]),
  ORRERY_STREAMS_OF_NODE: z.coerce.number().int().min(1).max(1000).default(4),
  ORRERY_STREAMS_OF_PERSON: z.coerce.number().int().min(1).max(10_000).default(32),
  ORRERY_STREAMS_OF_TENANT: z.coerce.number().int().min(1).max(1_000_000).default(20_000),
  ORRERY_AUDIT_RETENTION_DAYS: z.coerce.number().int().min(0).max(36_500).default(365),
  ORRERY_UPLOAD_MEMORY_MIB: z.coerce.number().int().min(0).max(4096).default(32),
  OIDC_ISSUER: httpUrl.optional(),
  OIDC_AUDIENCE: z.string().optional(),
  OIDC_JWKS_URL: httpUrl.optional(),
  OIDC_ROLE_CLAIM: z.string().default('orrery_role'),
  OIDC_TENANT_CLAIM: z.string().default('orrery_tenant'),
  OIDC_RULES: groupRules.optional(),
  OIDC_GROUPS_CLAIM: z.string().default('groups'),
})

/** The names of all variables, to check .env.example against this file. */
export const variableNames: readonly string[] = Object.keys(shape.shape)

/**
 * Reads the configuration; an empty variable counts as not set.
 * @throws ConfigError that names every problem at once
 */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([name, value]) => variableNames.includes(name) && value !== ''),
  )
  const parsed = shape.safeParse(given)
  const problems = parsed.error?.issues.map(({ path: [name], message }) => `${String(name)}: ${message}`) ?? []
  if ((given['OIDC_ISSUER'] === undefined) !== (given['OIDC_AUDIENCE'] === undefined)) {
    problems.push('OIDC_ISSUER, OIDC_AUDIENCE: an identity provider needs both')
  }
  if (given['OIDC_RULES'] !== undefined && given['OIDC_ISSUER'] === undefined) {
    problems.push('OIDC_RULES: the rules are for an identity provider, which OIDC_ISSUER and OIDC_AUDIENCE name')
  }
  if (given['ORRERY_SECRET'] === undefined && (given['DATABASE_URL'] ?? '').startsWith('postgres')) {
    problems.push('ORRERY_SECRET: is needed with PostgreSQL, the same for every instance; try: openssl rand -hex 32')
  }
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`The configuration is wrong:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
  }
  const { data } = parsed
  return {
    databaseUrl: data.DATABASE_URL,
    statementDeadline: data.ORRERY_DATABASE_STATEMENT_SECONDS * 1000,
    secret: data.ORRERY_SECRET ?? null,
    previousSecrets: data.ORRERY_SECRET_PREVIOUS,
    dataDir: data.ORRERY_DATA_DIR,
    host: data.ORRERY_HOST,
    port: data.ORRERY_PORT,
    publicUrl: data.ORRERY_PUBLIC_URL?.replace(/\/$/, '') ?? null,
    corsOrigins: data.ORRERY_CORS_ORIGINS,
    introspection: data.ORRERY_INTROSPECTION,
    logLevel: data.ORRERY_LOG_LEVEL,
    expensive: {
      running: data.ORRERY_EXPENSIVE_RUNNING,
      waitingOfOwner: data.ORRERY_EXPENSIVE_WAITING_OF_TENANT,
      waiting: data.ORRERY_EXPENSIVE_WAITING,
    },
    strangers: {
      perSecond: data.ORRERY_STRANGERS_PER_SECOND,
      burst: data.ORRERY_STRANGERS_BURST,
      trustedProxies: data.ORRERY_TRUSTED_PROXIES,
    },
    streams: {
      ofNode: data.ORRERY_STREAMS_OF_NODE,
      ofPerson: data.ORRERY_STREAMS_OF_PERSON,
      ofTenant: data.ORRERY_STREAMS_OF_TENANT,
    },
    auditRetentionDays: data.ORRERY_AUDIT_RETENTION_DAYS,
    uploadMemory: data.ORRERY_UPLOAD_MEMORY_MIB * 1024 * 1024,
    identityProvider:
      data.OIDC_ISSUER === undefined || data.OIDC_AUDIENCE === undefined
        ? null
        : {
            issuer: data.OIDC_ISSUER,
            audience: data.OIDC_AUDIENCE,
            jwksUrl: data.OIDC_JWKS_URL ?? null,
            roleClaim: data.OIDC_ROLE_CLAIM,
            tenantClaim: data.OIDC_TENANT_CLAIM,
            groupsClaim: data.OIDC_GROUPS_CLAIM,
            rules: data.OIDC_RULES ?? null,
          },
  }
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}
