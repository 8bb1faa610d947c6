import { createSecretKey, randomBytes, randomUUID } from 'node:crypto'

import { afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { exportSPKI, importJWK, SignJWT, type CryptoKey } from 'jose'

import { identityProvider, type IdentityProviderSettings } from '../../../src/auth/identity-provider.ts'
import { jwtVerifier } from '../../../src/auth/jwt.ts'
import { deriveKeys } from '../../../src/auth/keys.ts'
import { createLog } from '../../../src/base/log.ts'
import { newKey, signAs, startProvider, type Provider, type ProviderKey } from '../../support/provider.ts'

const { jwt: ownKey } = deriveKeys(randomBytes(32).toString('hex'))
const tenantId = randomUUID()
const noRules = { groupsClaim: 'groups', rules: null }
const now = () => Math.floor(Date.now() / 1000)

describe('an identity provider’s JWTs', () => {
  let provider: Provider
  let rsa: ProviderKey
  let elliptic: ProviderKey
  let next: ProviderKey
  /** The verifier's clock, in milliseconds. */
  let clock: number
  let log: Record<string, unknown>[]

  beforeAll(async () => {
    rsa = await newKey('RS256', 'first')
    elliptic = await newKey('ES256', 'second')
    next = await newKey('RS256', 'next')
  })
  beforeEach(async () => {
    provider = await startProvider()
    provider.keys = [rsa, elliptic]
    clock = 0
    log = []
  })
  afterEach(() => provider.close())

  function verifier(settings: Partial<IdentityProviderSettings> = {}) {
    const lines = { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) }
    const { issuer } = provider
    const standard = {
      issuer,
      audience: 'orrery-app',
      jwksUrl: null,
      roleClaim: 'role',
      tenantClaim: 'org',
      ...noRules,
    }
    return jwtVerifier(
      ownKey,
      identityProvider({ ...standard, ...settings }, createLog('debug', lines), () => clock),
    )
  }
  const claims = () => ({ iss: provider.issuer, aud: 'orrery-app', sub: 'uma', exp: now() + 60, role: 'operator' })
  const known = { role: 'operator', subject: 'uma' }

  test.each([
    ['found through its discovery document', () => null, ['/.well-known/openid-configuration', '/jwks']],
    ['at a configured address', () => provider.jwksUrl, ['/jwks']],
  ])('RS256 and ES256 are verified with the keys %s, which are fetched once', async (_name, jwksUrl, requests) => {
    const { verify } = verifier({ jwksUrl: jwksUrl() })
    expect(provider.takeRequests()).toEqual([])
    const tokens = await Promise.all([rsa, elliptic, rsa, elliptic].map((key) => signAs(key, claims())))
    const verified = await Promise.all(tokens.map((token) => verify(token)))
    expect(verified).toMatchObject([known, known, known, known])
    expect(provider.takeRequests()).toEqual(requests)
  })

  test('the claims that hold role and tenant are the configured ones', async () => {
    const { verify } = verifier({ roleClaim: 'https://example.com/role', tenantClaim: 'https://example.com/org' })
    const named = { 'https://example.com/role': 'viewer', 'https://example.com/org': tenantId }
    expect(await verify(await signAs(rsa, { ...claims(), ...named }))).toMatchObject({ role: 'viewer', tenantId })
    expect(await verify(await signAs(rsa, claims()))).toBeNull()
    expect(await verify(await signAs(rsa, { ...claims(), orrery_role: 'operator' }))).toBeNull()
  })

  test.each([
    ['another issuer', { iss: 'https://elsewhere.example' }],
    ['another audience', { aud: 'another-app' }],
    ['no audience', { aud: undefined }],
    ['an end that is passed', { exp: now() - 60 }],
    ['no end', { exp: undefined }],
    ['a beginning still to come', { nbf: now() + 60 }],
    ['no subject', { sub: undefined }],
    ['an unknown role', { role: 'superuser' }],
    ['an admin without a tenant', { role: 'admin' }],
  ])('a token with %s is refused', async (_name, wrong) => {
    const { verify } = verifier()
    expect(await verify(await signAs(rsa, { ...claims(), ...wrong }))).toBeNull()
    expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
  })

  describe('keys and algorithms are not mixed up', () => {
    test('a token that is signed with the provider’s public key as an HMAC secret is refused', async () => {
      const { verify } = verifier()
      await verify(await signAs(rsa, claims()))
      const pem = await exportSPKI((await importJWK(rsa.jwk, 'RS256', { extractable: true })) as CryptoKey)
      for (const secret of [pem, pem.trim(), JSON.stringify(rsa.jwk), String(rsa.jwk.n)]) {
        for (const iss of [provider.issuer, 'orrery']) {
          const forged = new SignJWT({ ...claims(), iss, aud: ['orrery', 'orrery-app'], orrery_role: 'operator' })
          forged.setProtectedHeader({ alg: 'HS256', kid: rsa.kid })
          expect(await verify(await forged.sign(createSecretKey(Buffer.from(secret))))).toBeNull()
        }
      }
    })

    test('a token of the provider’s that claims to be Orrery’s own is refused', async () => {
      const own = { iss: 'orrery', aud: 'orrery', orrery_role: 'operator' }
      expect(await verifier().verify(await signAs(rsa, { ...claims(), ...own }))).toBeNull()
      expect(provider.takeRequests()).toEqual([])
    })

    test('a token under Orrery’s own key that claims to be the provider’s is refused, and nobody is asked', async () => {
      const token = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256' }).sign(ownKey)
      expect(await verifier().verify(await token)).toBeNull()
      expect(provider.takeRequests()).toEqual([])
    })

    test('a secret that the provider publishes by mistake verifies nothing', async () => {
      const secret = randomBytes(32)
      const jwk = { kty: 'oct', k: secret.toString('base64url'), kid: 'secret', alg: 'HS256' }
      provider.keys = [{ ...rsa, kid: 'secret', jwk }]
      const token = new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', kid: 'secret' }).sign(secret)
      expect(await verifier().verify(await token)).toBeNull()
    })

    test('a key for encryption, or for another algorithm, verifies no signature', async () => {
      provider.keys = [{ ...rsa, jwk: { ...rsa.jwk, use: 'enc' } }]
      expect(await verifier().verify(await signAs(rsa, claims()))).toBeNull()
      provider.keys = [{ ...rsa, jwk: { ...rsa.jwk, alg: 'PS256' } }]
      expect(await verifier().verify(await signAs(rsa, claims()))).toBeNull()
    })

    test('a key that the token brings along is not looked at', async () => {
      const { verify } = verifier()
      const { kid } = rsa
      expect(await verify(await signAs(next, claims(), { kid, jwk: next.jwk, jku: provider.jwksUrl }))).toBeNull()
    })

    test('a key that cannot be used is logged, and its tokens are refused like any other', async () => {
      provider.keys = [{ ...rsa, jwk: { ...rsa.jwk, n: 'AQAB' } }, elliptic]
      const { verify } = verifier()
      expect(await verify(await signAs(rsa, claims()))).toBeNull()
      expect(await verify(await signAs(rsa, claims()))).toBeNull()
      expect(log).toMatchObject([{ level: 50, issuer: provider.issuer }])
      expect(await verify(await signAs(elliptic, claims()))).toMatchObject(known)
    })
  })

  describe('when keys change', () => {
    test('a new one is fetched when its first token arrives, and an old one holds no longer', async () => {
      const { verify } = verifier()
      expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
      provider.takeRequests()
      provider.keys = [next]
      clock += 5000
      expect(await verify(await signAs(next, claims()))).toMatchObject(known)
      expect(await verify(await signAs(rsa, claims()))).toBeNull()
      expect(provider.takeRequests()).toEqual(['/.well-known/openid-configuration', '/jwks'])
    })

    test('while a stranger floods it with unknown ones, the next look finds the new one', async () => {
      const { verify } = verifier({ jwksUrl: provider.jwksUrl })
      expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
      provider.takeRequests()
      const flood = async () => verify(await signAs(next, claims(), { kid: randomUUID() }))
      clock = 5000
      expect(await flood()).toBeNull()
      provider.keys = [rsa, next]
      // Whoever is turned away comes again.
      for (clock = 5001; clock < 10_000; clock += 500) {
        expect(await flood()).toBeNull()
        expect(await verify(await signAs(next, claims()))).toBeNull()
      }
      clock = 10_000
      expect(await flood()).toBeNull()
      expect(await verify(await signAs(next, claims()))).toMatchObject(known)
      expect(provider.takeRequests()).toEqual(['/jwks', '/jwks'])
    })

    test('keys that are older than ten minutes are asked for again', async () => {
      const { verify } = verifier()
      expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
      provider.keys = [next]
      clock += 10 * 60_000 - 1
      expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
      clock += 2
      expect(await verify(await signAs(rsa, claims()))).toBeNull()
    })

    test('a flood of tokens with unknown keys asks the provider once in 5 seconds', async () => {
      const { verify } = verifier({ jwksUrl: provider.jwksUrl })
      await verify(await signAs(rsa, claims()))
      provider.takeRequests()
      const unknown = await Promise.all(Array.from({ length: 50 }, () => signAs(next, claims(), { kid: randomUUID() })))
      for (const [moment, requests] of [
        [1000, []],
        [4999, []],
        [5000, ['/jwks']],
        [9999, []],
        [10_000, ['/jwks']],
      ] as const) {
        clock = moment
        const verified = await Promise.all(unknown.map((token) => verify(token)))
        expect(verified.every((one) => one === null)).toBe(true)
        expect(provider.takeRequests()).toEqual(requests)
        expect(await verify(await signAs(rsa, claims()))).toMatchObject(known)
      }
      expect(log).toEqual([])
    })
  })

  describe('a provider that does not answer as it should', () => {
    const faults: [string, Partial<Pick<Provider, 'fault' | 'namedIssuer'>>][] = [
      ['a status of 500', { fault: { status: 500 } }],
      ['a redirect', { fault: { status: 302 } }],
      ['what is no JSON', { fault: { body: '<html>' } }],
      ['JSON that is no key set', { fault: { body: '[]' } }],
      ['the name of another issuer', { namedIssuer: 'https://elsewhere.example' }],
    ]
    test.each(faults)(
      'with %s makes its tokens invalid, is logged and not asked again at once',
      async (_name, fault) => {
        Object.assign(provider, fault)
        const { verify } = verifier()
        const token = await signAs(rsa, claims())
        const verified = await Promise.all(Array.from({ length: 20 }, () => verify(token)))
        expect(verified.every((one) => one === null)).toBe(true)
        clock += 29_000
        expect(await verify(token)).toBeNull()
        expect(provider.takeRequests()).toHaveLength(1)
        expect(log).toMatchObject([{ level: 50, issuer: provider.issuer, err: { message: expect.any(String) } }])

        Object.assign(provider, { fault: null, namedIssuer: null })
        clock += 1000
        expect(await verify(token)).toMatchObject(known)
      },
    )

    test('that is not there at all: Orrery’s own tokens hold as ever', async () => {
      await provider.close()
      const { verify } = verifier()
      expect(await verify(await signAs(rsa, claims()))).toBeNull()
      const own = { iss: 'orrery', aud: 'orrery', sub: 'olga', iat: now(), exp: now() + 60, orrery_role: 'operator' }
      const token = await new SignJWT(own).setProtectedHeader({ alg: 'HS256' }).sign(ownKey)
      expect(await verify(token)).toMatchObject({ role: 'operator', subject: 'olga' })
      expect(log).toHaveLength(1)
    })

    test('that stays silent is waited for five seconds, by everybody together', async () => {
      provider.fault = 'silence'
      const { verify } = verifier()
      const token = await signAs(rsa, claims())
      const start = performance.now()
      const verified = await Promise.all(Array.from({ length: 20 }, () => verify(token)))
      expect(verified.every((one) => one === null)).toBe(true)
      expect(performance.now() - start).toBeGreaterThan(4500)
      expect(performance.now() - start).toBeLessThan(9000)
      expect(provider.takeRequests()).toHaveLength(1)
      expect(log).toHaveLength(1)
    })

    test('while its keys are known, its tokens hold for an hour, whatever else is sent', async () => {
      const { verify } = verifier()
      const token = await signAs(rsa, claims())
      const unknown = await signAs(next, claims())
      expect(await verify(token)).toMatchObject(known)
      provider.fault = { status: 503 }
      for (const moment of [1000, 31_000, 11 * 60_000, 60 * 60_000]) {
        clock = moment
        expect(await verify(unknown)).toBeNull()
        expect(await verify(token)).toMatchObject(known)
      }
      clock = 60 * 60_000 + 1
      expect(await verify(token)).toBeNull()
      provider.fault = null
      clock += 30_000
      expect(await verify(token)).toMatchObject(known)
    })
  })
})
