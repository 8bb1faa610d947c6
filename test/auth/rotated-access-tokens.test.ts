import { randomBytes, randomUUID } from 'node:crypto'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { startApp, type TestApp } from '../support/app.ts'
import { engines } from '../support/database.ts'
import { createWorld, type World } from '../support/world.ts'

const day = 86_400_000
const inDays = (count: number) => new Date(Date.now() + count * day).toISOString()

interface Made {
  readonly token: string
  readonly credential: { readonly id: string; readonly lastFour: string; readonly formerToken: Former | null }
  readonly message?: string
}
interface Former {
  readonly id: string
  readonly lastFour: string
  readonly expiresAt: string
  readonly lastUsedAt: string | null
}
const shown = 'token credential { id lastFour formerToken { id lastFour expiresAt lastUsedAt } }'

describe.each(engines)('an access token whose secret is replaced, on %s', (engine) => {
  let app: TestApp
  let ours: World
  let theirs: World
  /** How far the clock is ahead. */
  let ahead = 0
  beforeAll(async () => {
    app = await startApp(engine, { now: () => Date.now() + ahead })
    ours = await createWorld(app, 'ours', randomUUID())
    theirs = await createWorld(app, 'theirs', randomUUID())
  })
  afterAll(() => app.close())

  const call = async (caller: string, name: string, input: object, select = shown): Promise<Made> => {
    const title = name.charAt(0).toUpperCase() + name.slice(1)
    const query = `mutation ($input: ${title}Input!) { ${name}(input: $input) {
      ... on ${title}Payload { ${select} } ... on Error { __typename message } } }`
    const answer = await app.ask<Record<string, Made>>(caller, query, { input })
    const made = answer[name]
    if (!made) throw new Error(`${name} has no answer`)
    return made
  }
  const make = (caller: string, input: object = {}) =>
    call(caller, 'createAccessToken', { name: 'ci', role: 'VIEWER', expiresAt: inDays(30), ...input })
  const rotate = (caller: string, id: string, graceSeconds = 0) =>
    call(caller, 'rotateAccessToken', { id, graceSeconds })
  const statusOf = async (token: string) => (await app.answer(token, '{ viewer { __typename } }')).status

  test('is the same token: both secrets work until the grace ends, and each shows its own use', async () => {
    const { token, credential } = await make(ours.admin)
    const next = await rotate(ours.admin, credential.id, 3600)
    expect(next.credential).toMatchObject({ id: credential.id, lastFour: next.token.slice(-4) })
    expect(next.credential.formerToken).toMatchObject({ lastFour: token.slice(-4), lastUsedAt: null })
    expect([await statusOf(token), await statusOf(next.token)]).toEqual([200, 200])
    await app.flush()
    const rows = await app.database.client.credential.findMany({
      where: { OR: [{ id: credential.id }, { credentialId: credential.id }] },
    })
    expect(rows.map(({ lastUsedAt }) => lastUsedAt)).toEqual([expect.any(Date), expect.any(Date)])
    ahead = 3_601_000
    expect([await statusOf(token), await statusOf(next.token)]).toEqual([401, 200])
    ahead = 0
  })

  test('the former secret ends at once without a grace, by a further replacement, and by being revoked', async () => {
    const { token, credential } = await make(ours.admin)
    const second = await rotate(ours.admin, credential.id)
    expect(await statusOf(token)).toBe(401)
    const third = await rotate(ours.admin, credential.id, 60)
    const fourth = await rotate(ours.admin, credential.id, 60)
    const tokens = [second, third, fourth].map((made) => made.token)
    expect(await Promise.all(tokens.map(statusOf))).toEqual([401, 200, 200])
    await call(ours.admin, 'revokeCredential', { id: fourth.credential.formerToken?.id }, 'credential { id }')
    expect(await Promise.all(tokens.map(statusOf))).toEqual([401, 401, 200])
    await rotate(ours.admin, credential.id, 60)
    await call(ours.admin, 'revokeCredential', { id: credential.id }, 'credential { id }')
    expect(await statusOf(fourth.token)).toBe(401)
  })

  test('the former secret ends with the token at the latest', async () => {
    const expiresAt = new Date(Date.now() + 60_000).toISOString()
    const { credential } = await make(ours.admin, { expiresAt })
    const next = await rotate(ours.admin, credential.id, 3600)
    expect(next.credential.formerToken?.expiresAt).toBe(expiresAt)
  })

  test('nobody is shown the secret of a token that may do more, or of another tenant', async () => {
    const whole = await make(ours.admin, { role: 'ADMIN' })
    const limited = await make(ours.admin, { role: 'ADMIN', scopes: ['credentials:write'] })
    const short = await make(ours.admin, { role: 'ADMIN', expiresAt: inDays(2) })
    const operators = await make(app.operator, { role: 'OPERATOR' })
    for (const caller of [limited.token, short.token]) {
      expect(await rotate(caller, whole.credential.id)).toMatchObject({ __typename: 'ValidationError' })
    }
    for (const { credential } of [whole, operators]) {
      expect(await rotate(theirs.admin, credential.id)).toMatchObject({ __typename: 'NotFoundError' })
    }
    expect(await statusOf(whole.token)).toBe(200)
    const itself = await rotate(limited.token, limited.credential.id, 60)
    expect(itself).toHaveProperty('token')
    const again = await rotate(limited.token, limited.credential.id, 60)
    expect(await statusOf(again.token)).toBe(200)
  })

  test('of two replacements at once, one is made or both are one after the other', async () => {
    const { credential } = await make(ours.admin)
    const both = await Promise.all([rotate(ours.admin, credential.id, 60), rotate(ours.admin, credential.id, 60)])
    const made = both.filter(({ message }) => message === undefined)
    expect(made.length).toBeGreaterThan(0)
    const working = await Promise.all(made.map(({ token }) => statusOf(token)))
    expect(working).toEqual(made.map(() => 200))
  })

  test('a wrong token costs one look-up more than a present one', async () => {
    const lookUps = async (token: string) => {
      app.takeStatements()
      await statusOf(token)
      return app.takeStatements().filter((sql) => sql.includes('token_hash')).length
    }
    const { token } = await make(ours.admin)
    expect([await lookUps(token), await lookUps(`orp_${randomBytes(32).toString('base64url')}`)]).toEqual([1, 2])
  })
})
