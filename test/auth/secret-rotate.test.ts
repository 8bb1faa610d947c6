import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { deriveKeys } from '../../src/auth/keys.ts'
import { systemOperator } from '../../src/auth/system.ts'
import { Tokens } from '../../src/auth/tokens.ts'
import { openDatabase } from '../../src/db/client/client.ts'
import { bundleSigningKeyOf, signerOf } from '../../src/domain/pki/cluster-ca.ts'
import { createCluster } from '../../src/domain/clusters/clusters.ts'
import { createTenant } from '../../src/domain/tenants/tenants.ts'
import { Vault } from '../../src/domain/pki/vault.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../src/pki/keys.ts'
import { createMigratedDatabase, engines } from '../support/database.ts'
import { operatorToken, orrery, sessionToken } from '../support/orrery-process.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'orrery-rotate-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const newSecret = () => randomBytes(32).toString('hex')

describe.each(engines)('orrery secret rotate on %s', (engine) => {
  test('seals every key again under a secret of the operator’s own, or changes nothing', async () => {
    const testDatabase = await createMigratedDatabase(engine)
    const database = await openDatabase(testDatabase.url)
    try {
      const [before, after] = [newSecret(), newSecret()]
      const operator = systemOperator(database)
      const making = { tokens: new Tokens(deriveKeys(before).tokenHash), vault: new Vault(before) }
      const { id: tenantId } = await createTenant(operator, { name: 'tenant' })
      for (const name of ['one', 'two']) await createCluster(operator, making, { tenantId, name })
      const rows = () => database.client.cluster.findMany({ orderBy: { name: 'asc' } })
      const file = join(folder, 'next')
      await writeFile(file, `${after}\n`)
      const rotate = (secret: string, ...args: string[]) => {
        const environment = { DATABASE_URL: testDatabase.url, ORRERY_SECRET: secret, ORRERY_DATA_DIR: folder }
        return orrery(['secret', 'rotate', ...args], environment).ended
      }
      const kept = await rows()

      const wrong = await rotate(newSecret(), '--new-secret-file', file)
      expect(wrong.code).toBe(1)
      expect(wrong.output).toMatch(/Nothing was changed: these keys do not open[^]*bundleSigningKey/)
      expect(wrong.output).not.toMatch(/\n\s+at /)
      expect((await rotate(before)).output).toMatch(/--new-secret-file/)
      expect(await rows()).toEqual(kept)

      const done = await rotate(before, '--new-secret-file', file)
      expect(done).toMatchObject({ code: 0, output: expect.stringMatching(/^4 keys of 2 clusters are sealed again/) })
      expect(done.output).not.toContain(after)
      for (const cluster of await rows()) {
        signerOf(new Vault(after), cluster)
        bundleSigningKeyOf(new Vault(after), cluster)
        expect(() => signerOf(new Vault(before), cluster)).toThrow(/does not open/)
        // A server that still names the old secret first, and the new one among the others, opens them too.
        signerOf(new Vault(before, [after]), cluster)
      }
      expect((await rotate(before, '--new-secret-file', file)).output).toMatch(/^0 keys of 2 clusters/)
    } finally {
      await database.close()
      await testDatabase.drop()
    }
  }, 60_000)
})

test('the kept secret is replaced, and who signed in under the old one still does', async () => {
  const home = { DATABASE_URL: `file:${folder}/data/orrery.db`, ORRERY_DATA_DIR: `${folder}/data` }
  const ask = async (url: string, token: string, query: string, variables: object = {}) => {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    })
    const { data, errors } = (await response.json()) as { data?: Record<string, never>; errors?: unknown }
    if (errors) throw new Error(JSON.stringify(errors))
    return data
  }
  const enroll = async (url: string, token: string, name: string) => {
    const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
    const query = `mutation ($input: EnrollNodeInput!) { enrollNode(input: $input) {
      ... on EnrollNodePayload { token } ... on Error { message } } }`
    const data = await ask(url, token, query, { input: { name, publicKey } })
    return (data as unknown as { enrollNode: { token: string } }).enrollNode.token
  }
  const first = orrery(['serve'], home)
  const { url } = await first.ready()
  const operator = await operatorToken(home)
  const session = await sessionToken(url, home)
  const made = await ask(
    url,
    operator,
    'mutation { createTenant(input: { name: "t" }) { ... on CreateTenantPayload { tenant { id } } } }',
  )
  const tenantId = (made as unknown as { createTenant: { tenant: { id: string } } }).createTenant.tenant.id
  const created = await ask(
    url,
    operator,
    'mutation ($id: UUID!) { createCluster(input: { name: "c", tenantId: $id }) { ... on CreateClusterPayload { token } } }',
    { id: tenantId },
  )
  const clusterToken = (created as unknown as { createCluster: { token: string } }).createCluster.token
  const nodeToken = await enroll(url, clusterToken, 'before')
  expect(nodeToken).toMatch(/^orn_/)

  const old = await readFile(`${folder}/data/secret`, 'utf8')
  const refused = await orrery(['secret', 'rotate'], home).ended
  expect(refused).toMatchObject({ code: 1, output: expect.stringMatching(/Servers seem to run/) })
  expect(await readFile(`${folder}/data/secret`, 'utf8')).toBe(old)
  first.child.kill('SIGTERM')
  await first.ended

  expect(await orrery(['secret', 'rotate'], home).ended).toMatchObject({ code: 0 })
  expect(await readFile(`${folder}/data/secret`, 'utf8')).not.toBe(old)
  expect(await readFile(`${folder}/data/secret.previous`, 'utf8')).toBe(old)
  for (const name of ['secret', 'secret.previous']) {
    expect((await stat(`${folder}/data/${name}`)).mode & 0o777).toBe(0o600)
  }

  const second = orrery(['serve'], home)
  const { url: again } = await second.ready()
  expect(await enroll(again, clusterToken, 'after')).toMatch(/^orn_/)
  for (const token of [operator, session, nodeToken]) {
    expect(await ask(again, token, '{ viewer { __typename } }')).toHaveProperty('viewer')
  }
  second.child.kill('SIGTERM')
  await second.ended

  // Seen once under the new secret, tokens do without the old one; a JWT that the old one signed ends with it.
  await rm(`${folder}/data/secret.previous`)
  const third = orrery(['serve'], home)
  const { url: last } = await third.ready()
  expect(await ask(last, nodeToken, '{ viewer { __typename } }')).toEqual({ viewer: { __typename: 'Node' } })
  expect(await ask(last, session, '{ viewer { __typename } }')).toEqual({ viewer: { __typename: 'Operator' } })
  expect(await enroll(last, clusterToken, 'later')).toMatch(/^orn_/)
  await expect(ask(last, operator, '{ viewer { __typename } }')).rejects.toThrow(/UNAUTHENTICATED/)
  third.child.kill('SIGTERM')
  await third.ended
}, 60_000)
