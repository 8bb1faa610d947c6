import { readFileSync } from 'node:fs'

import { describe, expect, test } from '@jest/globals'

import { ConfigError, readConfig, variableNames } from '../../src/config.ts'

const secret = 's'.repeat(32)

/** What the configuration complains of, a line each. */
function problemsOf(environment: Record<string, string>): string[] {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim())
  }
}

describe('the configuration', () => {
  test('needs nothing: on its own it is an embedded database on this machine', () => {
    expect(readConfig({})).toEqual({
      databaseUrl: 'file:./data/orrery.db',
      statementDeadline: 8000,
      secret: null,
      expensive: { running: 2, waitingOfOwner: 8, waiting: 64 },
      strangers: { perSecond: 20, burst: 100, trustedProxies: [] },
      streams: { ofNode: 4, ofPerson: 32, ofTenant: 20_000 },
      auditRetentionDays: 365,
      uploadMemory: 32 * 1024 * 1024,
      previousSecrets: [],
      dataDir: './data',
      host: '127.0.0.1',
      port: 4000,
      publicUrl: null,
      corsOrigins: [],
      introspection: 'authenticated',
      logLevel: 'info',
      identityProvider: null,
    })
  })

  test('takes an empty variable for one that is not set', () => {
    expect(readConfig(Object.fromEntries(variableNames.map((name) => [name, ''])))).toEqual(readConfig({}))
  })

  test('reports every problem at once, each by its variable', () => {
    const problems = problemsOf({
      DATABASE_URL: 'mysql://x',
      ORRERY_SECRET: 'short',
      ORRERY_PORT: '70000',
      ORRERY_PUBLIC_URL: 'ftp://x',
      ORRERY_CORS_ORIGINS: 'https://admin.example.com/path',
      ORRERY_INTROSPECTION: 'maybe',
      ORRERY_LOG_LEVEL: 'loud',
      ORRERY_TRUSTED_PROXIES: '10.0.0.0/8, proxy.example.com',
      OIDC_ISSUER: 'https://id.example.com',
    })
    for (const name of [
      'DATABASE_URL',
      'ORRERY_SECRET',
      'ORRERY_PORT',
      'ORRERY_PUBLIC_URL',
      'ORRERY_CORS_ORIGINS',
      'ORRERY_INTROSPECTION',
      'ORRERY_LOG_LEVEL',
      'ORRERY_TRUSTED_PROXIES',
      'OIDC_ISSUER, OIDC_AUDIENCE',
    ]) {
      expect(problems.filter((line) => line.startsWith(`${name}:`))).toHaveLength(1)
    }
  })

  test.each(['x', '1.5', '-1', '65536'])('refuses the port %j', (port) => {
    expect(problemsOf({ ORRERY_PORT: port })).toEqual([expect.stringMatching(/^ORRERY_PORT: /)])
  })

  test('repeats no secret in what it complains of', () => {
    expect(problemsOf({ ORRERY_SECRET: 'hunter2' }).join('\n')).not.toContain('hunter2')
  })

  test('wants a secret of its own for PostgreSQL, which several instances share', () => {
    const database = { DATABASE_URL: 'postgresql://orrery@127.0.0.1/orrery' }
    expect(problemsOf(database)).toEqual([expect.stringMatching(/^ORRERY_SECRET: is needed with PostgreSQL/)])
    expect(problemsOf({ ...database, ORRERY_SECRET: secret })).toEqual([])
  })

  test('takes a list of origins, and a provider with its defaults', () => {
    const { corsOrigins, identityProvider } = readConfig({
      ORRERY_CORS_ORIGINS: 'https://a.example.com, http://localhost:5173',
      OIDC_ISSUER: 'https://id.example.com',
      OIDC_AUDIENCE: 'orrery',
    })
    expect(corsOrigins).toEqual(['https://a.example.com', 'http://localhost:5173'])
    expect(identityProvider).toEqual({
      issuer: 'https://id.example.com',
      audience: 'orrery',
      jwksUrl: null,
      roleClaim: 'orrery_role',
      tenantClaim: 'orrery_tenant',
      groupsClaim: 'groups',
      rules: null,
    })
  })
})

describe('.env.example', () => {
  const lines = readFileSync('.env.example', 'utf8').matchAll(/^#([A-Z_]+)=(.*)$/gm)
  const documented = Object.fromEntries([...lines].map(([, name = '', value = '']) => [name, value]))

  test('has every variable', () => {
    expect(Object.keys(documented).sort()).toEqual([...variableNames].sort())
  })

  test('names the defaults: with them set, nothing differs', () => {
    expect(readConfig(documented)).toEqual(readConfig({}))
  })
})
