import { randomBytes } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, test } from '@jest/globals'

import { identityProvider } from '../../src/auth/identity-provider.ts'
import { jwtVerifier } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { createLog } from '../../src/base/log.ts'
import { eventually } from '../support/eventually.ts'
import { newKey, signAs, startProvider, type Provider, type ProviderKey } from '../support/provider.ts'

/** What comes from an identity provider's address, when others have it. */
describe('an answer in the name of an identity provider', () => {
  let provider: Provider
  let first: ProviderKey
  let next: ProviderKey
  let log: Record<string, unknown>[]
  beforeEach(async () => {
    provider = await startProvider()
    first = await newKey('ES256', 'first')
    next = await newKey('ES256', 'next')
    provider.keys = [first]
    log = []
  })
  afterEach(() => provider.close())

  function verifier({ jwksUrl }: { jwksUrl: string | null } = { jwksUrl: null }) {
    const { issuer } = provider
    const claims = { roleClaim: 'role', tenantClaim: 'org', groupsClaim: 'groups' }
    const settings = { issuer, audience: 'orrery-app', jwksUrl, ...claims, rules: null }
    const lines = { write: (line: string) => log.push(JSON.parse(line) as Record<string, unknown>) }
    const { jwt } = deriveKeys(randomBytes(32).toString('hex'))
    return jwtVerifier(jwt, identityProvider(settings, createLog('debug', lines)))
  }
  const token = (key: ProviderKey) => {
    const exp = Math.floor(Date.now() / 1000) + 60
    return signAs(key, { iss: provider.issuer, aud: 'orrery-app', sub: 'uma', exp, role: 'operator' })
  }

  test('without an end is taken in for a mebibyte, of either document', async () => {
    for (const jwksUrl of [null, provider.jwksUrl]) {
      const sent = { bytes: 0, isClosed: false }
      provider.fault = (response) => {
        const chunk = Buffer.alloc(64 * 1024, '"')
        response.once('close', () => (sent.isClosed = true))
        // What the sockets hold on both sides is sent and not taken in.
        const push = (): boolean => {
          while (!response.destroyed && sent.bytes < 64 * 1024 * 1024) {
            sent.bytes += chunk.length
            if (!response.write(chunk)) return false
          }
          return true
        }
        response.on('drain', push)
        push()
      }
      log = []
      const { verify } = verifier({ jwksUrl })
      expect(await verify(await token(first))).toBeNull()
      expect(log).toMatchObject([{ err: { message: expect.stringContaining('sent more than 1 MiB') } }])
      await eventually('the connection is closed', () => sent.isClosed)
      expect(sent.bytes).toBeLessThan(16 * 1024 * 1024)
    }
  })

  test('that drips is waited for for five seconds, and its connection is closed', async () => {
    let isClosed = false
    provider.fault = (response) => {
      const drip = setInterval(() => response.write(' '), 20)
      response.once('close', () => {
        clearInterval(drip)
        isClosed = true
      })
    }
    const { verify } = verifier()
    const start = performance.now()
    expect(await verify(await token(first))).toBeNull()
    expect(performance.now() - start).toBeLessThan(9000)
    await eventually('the connection is closed', () => isClosed)
  })

  test('that sends the server elsewhere is not followed', async () => {
    const elsewhere = await startProvider()
    try {
      elsewhere.keys = [next]
      for (const jwksUrl of [null, provider.jwksUrl]) {
        provider.fault = (response) => void response.writeHead(307, { location: elsewhere.jwksUrl }).end()
        const { verify } = verifier({ jwksUrl })
        expect(await verify(await token(next))).toBeNull()
      }
      expect(elsewhere.takeRequests()).toEqual([])
    } finally {
      await elsewhere.close()
    }
  })
})
