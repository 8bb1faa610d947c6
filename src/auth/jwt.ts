import type { KeyObject } from 'node:crypto'

import { createRemoteJWKSet, decodeJwt, jwtVerify, SignJWT, type JWTPayload, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'

/** What a JWT of Orrery's says once it was verified. */
export type Claims =
  | {
      readonly role: 'operator'
      readonly subject: string
      readonly expiresAt: Date
    }
  | {
      readonly role: 'admin' | 'viewer'
      readonly tenantId: string
      readonly subject: string
      readonly expiresAt: Date
    }

/** A company's identity provider (OpenID Connect). */
export interface IdentityProvider {
  readonly issuer: string
  readonly audience: string
  /** Where the signing keys are; found through the issuer's discovery document when null. */
  readonly jwksUrl: string | null
  /** The claim that holds `operator`, `admin` or `viewer`, and the one that holds the tenant's id. */
  readonly roleClaim: string
  readonly tenantClaim: string
}

export interface JwtVerifier {
  /** Checks signature, algorithm, issuer, audience and times; null for whatever does not hold. */
  verify(token: string): Promise<Claims | null>
}

const issuer = 'orrery'
/** How far the clocks of issuer and server may differ, in seconds. */
const clockTolerance = 30
/** Asymmetric algorithms only: a provider's public key is never taken for an HMAC secret (RFC 8725, 3.1). */
const providerAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** Mints one of Orrery's own JWTs (HS256). `lifetime` in seconds. */
export async function mintJwt(
  key: KeyObject,
  claims: { role: 'operator' } | { role: 'admin' | 'viewer'; tenantId: string },
  { subject, lifetime }: { subject: string; lifetime: number },
): Promise<string> {
  const tenant = claims.role === 'operator' ? {} : { orrery_tenant: claims.tenantId }
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ orrery_role: claims.role, ...tenant })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(issuer)
    .setAudience(issuer)
    .setSubject(subject)
    .setIssuedAt(now)
    .setExpirationTime(now + lifetime)
    .sign(key)
}

/**
 * Verifies Orrery's own JWTs and, where one is configured, an identity provider's. The unverified issuer only chooses
 * which of the two checks is made; each pins its own algorithms, key, issuer and audience.
 */
export function jwtVerifier(key: KeyObject, provider: IdentityProvider | null): JwtVerifier {
  const providerKeys = provider && lazyKeys(provider)
  return {
    async verify(token) {
      try {
        if (provider && providerKeys && decodeJwt(token).iss === provider.issuer) {
          const { payload } = await jwtVerify(token, providerKeys, {
            algorithms: providerAlgorithms,
            issuer: provider.issuer,
            audience: provider.audience,
            clockTolerance,
            requiredClaims: ['exp', 'sub'],
          })
          return claimsOf(payload, provider.roleClaim, provider.tenantClaim)
        }
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          issuer,
          audience: issuer,
          clockTolerance,
          requiredClaims: ['exp', 'sub'],
        })
        return claimsOf(payload, 'orrery_role', 'orrery_tenant')
      } catch (error) {
        // Every jose error means "not valid"; anything else (the provider cannot be reached) is a fault to be seen.
        if (isJoseError(error)) return null
        throw error
      }
    },
  }
}

const isJoseError = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' && /^ERR_(JW|JOSE)/.test(error.code)

const claimShape = z.discriminatedUnion('role', [
  z.object({ role: z.literal('operator') }),
  z.object({ role: z.enum(['admin', 'viewer']), tenantId: z.uuid() }),
])

function claimsOf(payload: JWTPayload, roleClaim: string, tenantClaim: string): Claims | null {
  const parsed = claimShape.safeParse({
    role: payload[roleClaim],
    tenantId: payload[tenantClaim],
  })
  if (!parsed.success || payload.sub === undefined || payload.exp === undefined) return null
  return {
    ...parsed.data,
    subject: payload.sub.slice(0, 255),
    expiresAt: new Date(payload.exp * 1000),
  }
}

/** The provider's keys, fetched when the first of its tokens arrives, so that Orrery starts without it. */
function lazyKeys(provider: IdentityProvider): JWTVerifyGetKey {
  let keys: Promise<JWTVerifyGetKey> | null = null
  return async (header, token) => {
    keys ??= discover(provider).catch((error: unknown) => {
      keys = null
      throw error
    })
    return (await keys)(header, token)
  }
}

async function discover({ issuer: origin, jwksUrl }: IdentityProvider): Promise<JWTVerifyGetKey> {
  if (jwksUrl !== null) return createRemoteJWKSet(new URL(jwksUrl))
  const address = `${origin.replace(/\/$/, '')}/.well-known/openid-configuration`
  const response = await fetch(address, { signal: AbortSignal.timeout(5000) })
  const document: unknown = await response.json()
  const { issuer: named, jwks_uri } = z.object({ issuer: z.string(), jwks_uri: z.url() }).parse(document)
  if (named !== origin) throw new Error(`${address} names another issuer: ${named}`)
  return createRemoteJWKSet(new URL(jwks_uri))
}
