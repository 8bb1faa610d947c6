import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { createLog } from '../../src/base/log.ts'
import { CredentialUses } from '../../src/domain/tenants/credential-uses.ts'
import { startApp, startBeside, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'

const minute = 60_000

describe.each(engines)('when a credential was last used, on %s', (engine) => {
  let app: TestApp
  let now = Math.ceil(Date.now() / minute) * minute + 1000
  const clock = () => now
  beforeAll(async () => {
    app = await startApp(engine, { now: clock })
  })
  afterAll(() => app.close())

  const make = async (name: string) => {
    const { createAccessToken: made } = await app.ask<{ createAccessToken: { token: string } }>(
      app.operator,
      `mutation ($name: String!, $expiresAt: DateTimeISO!) {
        createAccessToken(input: { name: $name, role: OPERATOR, expiresAt: $expiresAt }) {
          ... on CreateAccessTokenPayload { token } } }`,
      { name, expiresAt: new Date(now + 1000 * minute).toISOString() },
    )
    return made.token
  }
  const signIn = async (name: string) => {
    const session = await app.signIns.exchange(await app.signIns.makeLink(name))
    if (!session) throw new Error('the link was not exchanged')
    return session.token
  }
  const use = (token: string, at = app) => at.answer(token, '{ viewer { __typename } }')
  /** Milliseconds since 1970. */
  const lastUseOf = async (name: string) => {
    const query = '{ credentials(first: 100) { edges { node { kind name lastUsedAt } } } }'
    const { credentials } = await app.ask<{
      credentials: { edges: { node: { kind: string; name: string; lastUsedAt: string | null } }[] }
    }>(app.operator, query)
    // The used link has the session's name.
    const rows = credentials.edges.map(({ node }) => node).filter(({ kind }) => kind !== 'SIGN_IN_LINK')
    const { lastUsedAt = null } = rows.find((row) => row.name === name) ?? {}
    return lastUsedAt === null ? null : Date.parse(lastUsedAt)
  }
  const thisMinute = () => Math.floor(now / minute) * minute

  test.each([
    ['an access token', make],
    ['a session', signIn],
  ])('%s shows its last use to the minute, and nothing before the first', async (name, create) => {
    const token = await create(name)
    expect(await lastUseOf(name)).toBeNull()
    await use(token)
    await app.flush()
    expect(await lastUseOf(name)).toBe(thisMinute())
    now += 5 * minute
    await use(token)
    await app.flush()
    expect(await lastUseOf(name)).toBe(thisMinute())
  })

  test('no request writes: all uses of a minute are one statement, and a use of the same minute is none', async () => {
    const tokens = await Promise.all(['one', 'two', 'three'].map(make))
    now += minute
    app.takeStatements()
    for (const token of [...tokens, ...tokens]) await use(token)
    const writes = () => app.takeStatements().filter((sql) => sql.includes('UPDATE'))
    expect(writes()).toEqual([])
    await app.flush()
    expect(writes()).toEqual([expect.stringContaining('last_used_at')])
    for (const name of ['one', 'two', 'three']) expect(await lastUseOf(name)).toBe(thisMinute())
    for (const token of tokens) await use(token)
    await app.flush()
    expect(writes()).toEqual([])
  })

  test('of several instances, the later time stays', async () => {
    const token = await make('shared')
    const late = { now: () => now + 3 * minute }
    const other = await startBeside(app, late)
    await use(token, other)
    await use(token)
    await other.flush()
    await app.flush()
    expect(await lastUseOf('shared')).toBe(thisMinute() + 3 * minute)
    await other.close()
  })

  test('a revoked credential does not keep the others from being written', async () => {
    const [gone, stays] = [await make('gone'), await make('stays')]
    for (const token of [gone, stays]) await use(token)
    await app.database.client.credential.deleteMany({ where: { name: 'gone' } })
    await app.flush()
    expect(await lastUseOf('stays')).toBe(thisMinute())
  })

  test('what was not written is kept, and is written at the latest when the server stops', async () => {
    await make('kept')
    const { id } = await app.database.client.credential.findFirstOrThrow({ where: { name: 'kept' } })
    const { operatorScope: operator } = app
    let failures = 1
    const credentialUses: typeof operator.credentialUses = {
      write: (uses) => {
        if (failures-- > 0) return Promise.reject(new Error('the disk is full'))
        return operator.credentialUses.write(uses)
      },
    }
    const uses = new CredentialUses({ operator: { ...operator, credentialUses }, log: createLog('silent'), now: clock })
    uses.used(id)
    await uses.stop()
    expect(await lastUseOf('kept')).toBe(thisMinute())
  })
})
