import { randomUUID } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { systemOperator } from '../../../src/auth/system.ts'
import { ConfigError, readConfig } from '../../../src/config.ts'
import { warnOfRules } from '../../../src/domain/tenants/group-rules.ts'
import { createMigratedDatabase, engines } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { newKey, signAs, startProvider } from '../../support/provider.ts'
import { serve } from '../../support/served.ts'
import { openTwoTenants } from '../../support/tenants.ts'

const provider = { OIDC_ISSUER: 'https://id.example.com', OIDC_AUDIENCE: 'orrery' }
const tenant = randomUUID()
const good = { group: 'staff', role: 'viewer', tenant }

function rulesOf(rules: unknown) {
  const text = typeof rules === 'string' ? rules : JSON.stringify(rules)
  return readConfig({ ...provider, OIDC_RULES: text }).identityProvider?.rules
}

/** What the configuration complains of, a line each. */
function problemsOf(rules: unknown): string[] {
  try {
    rulesOf(rules)
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().replace('OIDC_RULES: ', ''))
  }
}

describe('the rules of OIDC_RULES', () => {
  test('are read in their order, with ids in one form', () => {
    const [first, second] = [randomUUID(), randomUUID()]
    const clusters = [first.toUpperCase(), second, first]
    const limited = { group: 'ops', role: 'editor', tenant: tenant.toUpperCase(), clusters }
    expect(rulesOf([{ group: 'root', role: 'operator' }, limited, good])).toEqual([
      { group: 'root', rights: { role: 'operator' } },
      { group: 'ops', rights: { role: 'editor', tenantId: tenant, clusterIds: [first, second] } },
      { group: 'staff', rights: { role: 'viewer', tenantId: tenant, clusterIds: null } },
    ])
    expect(readConfig(provider).identityProvider).toMatchObject({ rules: null, groupsClaim: 'groups' })
  })

  const clusters = Array.from({ length: 51 }, () => randomUUID())
  const many = Array.from({ length: 201 }, (_, at) => ({ group: `${at}`, role: 'operator' }))
  test.each<[string, unknown, string]>([
    ['no JSON', '[{"group"', 'is not JSON'],
    ['no list', good, 'must be a list'],
    ['an empty list', [], 'must have at least one rule'],
    ['too many rules', many, 'must have at most 200 rules'],
    ['too long a text', `[${' '.repeat(70_000)}]`, 'must have at most 65536 characters'],
    ['a rule that is none', [good, 'staff'], '[1]: must be an object'],
    ['a rule without a group', [{ ...good, group: undefined }], '[0].group: must be a text'],
    ['an empty group', [{ ...good, group: '' }], '[0].group: must not be empty'],
    ['a long group', [{ ...good, group: 'x'.repeat(501) }], '[0].group: must have at most 500 characters'],
    ['an unknown role', [good, { ...good, role: 'root' }], '[1].role: must be one of operator, admin'],
    ['no role', [{ group: 'x' }], '[0].role: must be one of operator, admin'],
    ['an admin without a tenant', [{ group: 'x', role: 'admin' }], '[0].tenant: must be the id of a tenant'],
    ['a tenant by name', [{ ...good, tenant: 'acme' }], '[0].tenant: must be the id of a tenant'],
    ['an operator in a tenant', [{ ...good, role: 'operator' }], '[0]: has tenant, but a rule for operators has only'],
    ['a misspelt limit', [{ ...good, cluster: [tenant] }], '[0]: has cluster, but a rule has only group, role'],
    ['a limit of none', [{ ...good, clusters: [] }], '[0].clusters: '],
    ['a limit that is null', [{ ...good, clusters: null }], '[0].clusters: '],
    ['too many clusters', [{ ...good, clusters }], '[0].clusters: '],
    ['a cluster by name', [{ ...good, clusters: [tenant, 'berlin'] }], '[0].clusters[1]: '],
    ['a rule that is never reached', [good, { group: 'x', role: 'operator' }, good], '[2].group: is the group of [0]'],
  ])('with %s stop the start, and the place is named', (_name, rules, problem) => {
    expect(problemsOf(rules)).toEqual([expect.stringContaining(problem)])
  })

  test('are all complained of at once', () => {
    const rules = [good, { group: '', role: 'admin' }, { group: 'x', role: 'boss' }]
    expect(problemsOf(rules).map((line) => line.split(':')[0])).toEqual(['[1].group', '[1].tenant', '[2].role'])
  })

  test('are for a provider: without one they stop the start', () => {
    expect(() => readConfig({ OIDC_RULES: JSON.stringify([good]) })).toThrow(/OIDC_RULES: .*OIDC_ISSUER/)
  })

  test('are obeyed by the server as it is shipped, which warns in its log', async () => {
    const [company, key, database] = [
      await startProvider(),
      await newKey('ES256', 'k'),
      await createMigratedDatabase('sqlite'),
    ]
    company.keys = [key]
    const rules = JSON.stringify([good, { group: 'netops', role: 'operator' }])
    const { issuer } = company
    const oidc = { OIDC_ISSUER: issuer, OIDC_AUDIENCE: 'orrery', OIDC_GROUPS_CLAIM: 'teams' }
    const served = await serve({ database: database.url, environment: { ...oidc, OIDC_RULES: rules } })
    const exp = Math.floor(Date.now() / 1000) + 60
    const token = await signAs(key, { iss: issuer, aud: 'orrery', sub: 'uma', exp, teams: ['netops'] })
    expect(await served.ask(token, '{ viewer { __typename } }')).toEqual({ viewer: { __typename: 'Operator' } })
    await eventually('the warning is written', () => served.output().includes(`"rule":0,"tenantId":"${tenant}"`))
    served.kill('SIGTERM')
    expect((await served.ended).code).toBe(0)
    await Promise.all([company.close(), database.drop()])
  }, 60_000)

  describe.each(engines)('on %s', (engine) => {
    test('are warned of where they name what does not exist, by the place in the list', async () => {
      const { database, ours, sibling, theirs, close } = await openTwoTenants(engine)
      const gone = randomUUID()
      const rules = rulesOf([
        { group: 'operators', role: 'operator' },
        { group: 'whole', role: 'admin', tenant: ours.tenantId },
        { group: 'some', role: 'admin', tenant: ours.tenantId, clusters: [ours.clusterId, sibling.clusterId] },
        { group: 'gone', role: 'admin', tenant: gone, clusters: [ours.clusterId] },
        { group: 'none', role: 'admin', tenant: ours.tenantId, clusters: [ours.clusterId, gone, theirs.clusterId] },
      ])
      const warned: unknown[] = []
      await warnOfRules(systemOperator(database), rules ?? [], { warn: (about: unknown) => void warned.push(about) })
      expect(warned).toEqual([
        { rule: 3, tenantId: gone },
        { rule: 4, tenantId: ours.tenantId, clusterIds: [gone, theirs.clusterId] },
      ])
      await close()
    })
  })
})
