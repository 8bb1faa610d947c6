import { describe, expect, test } from '@jest/globals'
import { decodeProtectedHeader } from 'jose'

import { jwtVerifier } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { orrery } from '../support/orrery-process.ts'

const secret = 's'.repeat(32)
const tenant = '11111111-1111-4111-8111-111111111111'

describe('orrery token create', () => {
  const { verify } = jwtVerifier(deriveKeys(secret).jwt, null)

  test.each([
    ['--role operator', { role: 'operator', subject: 'orrery-cli' }, 12],
    [`--role admin --tenant ${tenant.toUpperCase()} --subject tina --ttl 30m`, { role: 'admin', subject: 'tina' }, 0.5],
    [`--role viewer --tenant ${tenant} --ttl 365d`, { role: 'viewer', tenantId: tenant }, 365 * 24],
  ])('%s prints one JWT and nothing else, for what was asked', async (options, wanted, hours) => {
    const environment = { ORRERY_SECRET: secret }
    const { code, output } = await orrery(['token', 'create', ...options.split(' ')], environment).ended
    expect(code).toBe(0)
    const claims = await verify(output.trim())
    expect(claims).toMatchObject(wanted.role === 'operator' ? wanted : { ...wanted, tenantId: tenant })
    expect((Number(claims?.expiresAt) - Date.now()) / 3_600_000).toBeCloseTo(hours, 1)
    expect(decodeProtectedHeader(output.trim())).toEqual({ alg: 'HS256', typ: 'JWT' })
  })
})
