import { createHmac, hkdfSync, randomBytes } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { authenticator } from '../../src/auth/authenticate.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { parseToken, sameHash, Tokens, type TokenHash } from '../../src/auth/tokens.ts'

const secret = randomBytes(32).toString('hex')
const keys = deriveKeys(secret)
const tokens = new Tokens(keys.tokenHash)

describe('tokens', () => {
  test.each([
    ['orn_', () => tokens.newNodeToken()],
    ['orc_', () => tokens.newClusterToken()],
  ])('%s stands before 32 random bytes in base64url, and no two are the same', (prefix, make) => {
    const made = Array.from({ length: 500 }, () => make())
    for (const { token, hash } of made) {
      expect(token).toMatch(new RegExp(`^${prefix}[A-Za-z0-9_-]{43}$`))
      expect(Buffer.from(token.slice(4), 'base64url')).toHaveLength(32)
      expect(tokens.hash(token)).toBe(hash)
    }
    expect(new Set(made.map(({ token }) => token)).size).toBe(500)
  })

  test('a hash is HMAC-SHA256 of the whole token, under the key that the secret yields for this one purpose', () => {
    const { token, hash } = tokens.newNodeToken()
    const key = Buffer.from(hkdfSync('sha256', secret, 'orrery', 'orrery/v1/token-hash', 32))
    expect(hash).toBe(createHmac('sha256', key).update(token).digest('hex'))
    expect(keys.jwt.equals(keys.tokenHash)).toBe(false)
  })

  test('under another secret a token has another hash', () => {
    const { token, hash } = tokens.newNodeToken()
    const others = new Tokens(deriveKeys(randomBytes(32).toString('hex')).tokenHash)
    expect(others.hash(token)).not.toBe(hash)
  })

  test('a secret that is too short yields no keys', () => {
    expect(() => deriveKeys('x'.repeat(31))).toThrow('32 characters')
    expect(() => deriveKeys('x'.repeat(32))).not.toThrow()
  })

  test('only a text of exactly the right form is one', () => {
    const { token } = tokens.newNodeToken()
    expect(parseToken(token)).toEqual({ kind: 'node', token })
    expect(parseToken(token.replace('orn_', 'orc_'))).toMatchObject({ kind: 'cluster' })
    const wrong = [
      token.slice(0, -1),
      `${token}A`,
      ` ${token}`,
      `${token}\n`,
      token.replace('orn_', 'ORN_'),
      'orn_',
      '',
    ]
    for (const text of wrong) expect(parseToken(text)).toBeNull()
  })
})

describe('the comparison of hashes', () => {
  const { hash } = tokens.newNodeToken()

  test('finds the same hash and no other', () => {
    expect(sameHash(hash, hash)).toBe(true)
    expect(sameHash(hash.toUpperCase(), hash)).toBe(true)
    expect(sameHash(tokens.newNodeToken().hash, hash)).toBe(false)
    for (let index = 0; index < hash.length; index++) {
      const digit = hash[index] === '0' ? '1' : '0'
      expect(sameHash(`${hash.slice(0, index)}${digit}${hash.slice(index + 1)}`, hash)).toBe(false)
    }
  })

  test('takes no text that is not a whole hash, and does not fail of it', () => {
    const none = ['', hash.slice(0, -2), hash.slice(0, 32), `${hash}00`, `${hash}zz`.slice(2), 'z'.repeat(64), 'ß']
    for (const text of none) {
      expect(sameHash(text, hash)).toBe(false)
      expect(sameHash(hash, text as TokenHash)).toBe(false)
      expect(sameHash(text, text as TokenHash)).toBe(false)
    }
  })

  test('is made of whatever row the look-up found', async () => {
    const names = { id: 'id', tenantId: 'tenant', clusterId: 'cluster', name: 'name' }
    const found = { ...names, isAdmin: true, clusterConfigVersion: 1, blockedAt: null, latestBundleVersion: null }
    const other = tokens.newNodeToken().hash
    const unused = () => Promise.reject(new Error('not to be asked'))
    const authenticate = authenticator({
      // No scope is made for nobody.
      database: null as never,
      tokens,
      jwts: { verify: unused },
      opener: { opens: () => true },
      used: () => {
        throw new Error('nobody used it')
      },
      credentials: {
        nodeByTokenHash: () => Promise.resolve({ ...found, tokenHash: other }),
        clusterByTokenHash: () => Promise.resolve({ ...found, clusterTokenHash: other }),
        personByTokenHash: () =>
          Promise.resolve({
            ...found,
            scopes: null,
            may: { role: 'operator' },
            expiresAt: new Date(8e15),
            idleAt: null,
            tokenHash: other,
          }),
        enrollmentKeyByTokenHash: () => Promise.resolve({ ...found, expiresAt: new Date(8e15), tokenHash: other }),
        formerToken: () =>
          Promise.resolve({ id: 'x', tokenHash: other, expiresAt: new Date(8e15), of: 'node', ownerId: 'x' }),
        nodeById: unused,
        clusterById: unused,
        accessTokenById: unused,
        tenantExists: unused,
        rehashCredential: unused,
        rehashNode: unused,
        rehashCluster: unused,
      },
    })
    for (const { token } of [
      tokens.newNodeToken(),
      tokens.newClusterToken(),
      tokens.newSessionToken(),
      tokens.newAccessToken(),
      tokens.newEnrollmentKey(),
    ]) {
      expect(await authenticate(`Bearer ${token}`)).toEqual({ kind: 'anonymous' })
    }
  })
})
