import { createHmac, randomBytes, randomUUID } from 'node:crypto'

import { describe, expect, jest, test } from '@jest/globals'
import { base64url, SignJWT } from 'jose'

import { jwtVerifier, mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'

const { jwt: key, tokenHash } = deriveKeys(randomBytes(32).toString('hex'))
const { verify } = jwtVerifier(key, null)
const tenantId = randomUUID()

/** Seconds since 1970, as in a JWT. */
const now = () => Math.floor(Date.now() / 1000)
const operatorClaims = () => ({
  iss: 'orrery',
  aud: 'orrery',
  sub: 'olga',
  iat: now(),
  exp: now() + 60,
  orrery_role: 'operator',
})

/** A token of Orrery's own with other claims; `undefined` takes one away. */
const sign = (claims: Record<string, unknown> = {}, { alg = 'HS256', secret = key } = {}) =>
  new SignJWT({ ...operatorClaims(), ...claims }).setProtectedHeader({ alg }).sign(secret)

/** A token as anybody who has the key could make it, without a library's scruples. */
function signByHand(header: object, hash: string): string {
  const signed = `${encode(header)}.${encode(operatorClaims())}`
  return `${signed}.${createHmac(hash, key).update(signed).digest('base64url')}`
}

const encode = (part: object) => base64url.encode(JSON.stringify(part))

describe('Orrery’s own JWTs', () => {
  test('what is minted is verified, with role, tenant, subject and end', async () => {
    const lifetime = 3600
    const operator = await verify(await mintJwt(key, { role: 'operator' }, { subject: 'olga', lifetime }))
    expect(operator).toEqual({ role: 'operator', subject: 'olga', expiresAt: expect.any(Date) })
    const seconds = (Number(operator?.expiresAt) - Date.now()) / 1000
    expect(Math.abs(seconds - lifetime)).toBeLessThan(5)
    for (const role of ['admin', 'viewer'] as const) {
      const token = await mintJwt(key, { role, tenantId }, { subject: 'tina', lifetime })
      expect(await verify(token)).toMatchObject({ role, tenantId, subject: 'tina' })
    }
  })

  test('a token that was verified before ends like any other', async () => {
    const token = await sign({ exp: now() + 60 })
    expect(await verify(token)).toMatchObject({ role: 'operator' })
    const doNotFake = ['nextTick', 'setImmediate', 'setInterval', 'setTimeout', 'queueMicrotask'] as const
    jest.useFakeTimers({ now: Date.now() + 85_000, doNotFake: [...doNotFake] })
    try {
      // Within the tolerance for clocks that differ, and behind it.
      expect(await verify(token)).toMatchObject({ role: 'operator' })
      jest.setSystemTime(Date.now() + 10_000)
      expect(await verify(token)).toBeNull()
    } finally {
      jest.useRealTimers()
    }
  })

  test('the token that the refusals below are made from holds', async () => {
    expect(await verify(await sign())).toMatchObject({ role: 'operator' })
  })

  describe('algorithms', () => {
    test.each(['none', 'None', 'NONE', 'nOnE', ''])(
      'a token without a signature, alg "%s", is refused',
      async (alg) => {
        for (const signature of ['', randomBytes(32).toString('base64url')]) {
          expect(await verify(`${encode({ alg, typ: 'JWT' })}.${encode(operatorClaims())}.${signature}`)).toBeNull()
        }
      },
    )

    test.each([
      ['HS384', 'sha384'],
      ['HS512', 'sha512'],
    ])('%s is not HS256, even under the right key', async (alg, hash) => {
      expect(await verify(signByHand({ alg }, hash))).toBeNull()
      expect(await verify(signByHand({ alg: 'HS256' }, 'sha256'))).toMatchObject({ role: 'operator' })
    })

    test('a token that is signed with another key of the same secret is refused', async () => {
      expect(await verify(await sign({}, { secret: tokenHash }))).toBeNull()
    })

    test.each([
      ['header', 0, encode({ alg: 'HS256', kid: 'x' })],
      ['payload', 1, encode({ ...operatorClaims(), sub: 'eve' })],
      ['signature', 2, 'AAAA'],
    ])('a token whose %s was changed is refused', async (_name, index, other) => {
      const parts = (await sign()).split('.')
      expect(await verify(parts.with(index, other).join('.'))).toBeNull()
    })

    test('an extension that a token calls critical is not understood, and so it is refused', async () => {
      expect(await verify(signByHand({ alg: 'HS256', crit: ['x'], x: 1 }, 'sha256'))).toBeNull()
    })
  })

  describe('claims', () => {
    test.each([
      ['another issuer', { iss: 'somebody' }],
      ['no issuer', { iss: undefined }],
      ['another audience', { aud: 'somebody' }],
      ['no audience', { aud: undefined }],
      ['no subject', { sub: undefined }],
      ['an empty subject', { sub: '' }],
      ['a subject that is no text', { sub: 7 }],
      ['no end', { exp: undefined }],
      ['an end that is no number', { exp: 'tomorrow' }],
      ['no time of issue', { iat: undefined }],
      ['a time of issue still to come', { iat: now() + 60, exp: now() + 120 }],
      ['more than an hour to live', { exp: now() + 3640 }],
      ['a minute left of a day', { iat: now() - 86_340 }],
      ['a minute left of more than an hour', { iat: now() - 3580 }],
      ['an end that is passed', { exp: now() - 31 }],
      ['a beginning still to come', { nbf: now() + 60 }],
      ['no role', { orrery_role: undefined }],
      ['an unknown role', { orrery_role: 'root' }],
      ['a role in other letters', { orrery_role: 'Operator' }],
      ['several roles', { orrery_role: ['operator'] }],
      ['the name of what every object has as role', { orrery_role: 'constructor' }],
      ['an admin without a tenant', { orrery_role: 'admin' }],
      ['a viewer without a tenant', { orrery_role: 'viewer', orrery_tenant: null }],
      ['an admin of a tenant that is no UUID', { orrery_role: 'admin', orrery_tenant: "' OR 1=1 --" }],
      ['an admin of several tenants', { orrery_role: 'admin', orrery_tenant: [tenantId] }],
      ['the role of a node', { orrery_role: 'node' }],
    ])('a token with %s is refused', async (_name, claims) => {
      expect(await verify(await sign(claims))).toBeNull()
    })

    test('clocks may differ by 30 seconds, at both ends', async () => {
      expect(await verify(await sign({ exp: now() - 25 }))).toMatchObject({ role: 'operator' })
      expect(await verify(await sign({ nbf: now() + 25 }))).toMatchObject({ role: 'operator' })
      expect(await verify(await sign({ exp: now() - 31 }))).toBeNull()
      expect(await verify(await sign({ nbf: now() + 40 }))).toBeNull()
    })

    test('an operator’s tenant is not looked at: an operator is in none', async () => {
      for (const orrery_tenant of [tenantId, 'no UUID']) {
        const claims = await verify(await sign({ orrery_tenant }))
        expect(claims).toEqual({ role: 'operator', subject: 'olga', expiresAt: expect.any(Date) })
      }
    })

    test('a tenant’s id in upper case is the same id', async () => {
      const claims = { orrery_role: 'admin', orrery_tenant: tenantId.toUpperCase() }
      expect(await verify(await sign(claims))).toMatchObject({ tenantId })
    })

    test('one audience of several is enough, and a long subject is cut', async () => {
      const claims = await verify(await sign({ aud: ['others', 'orrery'], sub: 'x'.repeat(1000) }))
      expect(claims?.subject).toBe('x'.repeat(255))
    })
  })

  test.each(['', '.', '..', 'a.b.c', '....', 'eyJ.eyJ.x', 'x'.repeat(8000), '%', 'null.null.null'])(
    'whatever else stands there is refused and no fault: "%s"',
    async (text) => {
      expect(await verify(text)).toBeNull()
    },
  )

  test('payloads that are no objects are refused', async () => {
    for (const payload of ['null', '1', '"x"', '[]']) {
      expect(await verify(`${encode({ alg: 'HS256' })}.${base64url.encode(payload)}.x`)).toBeNull()
    }
  })
})
