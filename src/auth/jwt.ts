import type { KeyObject } from 'node:crypto'

import { decodeJwt, errors, jwtVerify, SignJWT, type JWTPayload } from 'jose'
import * as z from 'zod'

import { lineProblem } from '../base/texts/text.ts'
import { rightsByGroups } from './group-rules.ts'
import type { IdentityProvider } from './identity-provider.ts'
import { tenantRoles, type PersonRights, type TenantRole } from './session.ts'
import { VerifiedTokens } from './verified-tokens.ts'

/** What a verified JWT says. */
export type Claims = PersonRights & { readonly subject: string; readonly expiresAt: Date }

export interface JwtVerifier {
  /** Checks signature, algorithm, issuer, audience and times; null for a token that fails a check. */
  readonly verify: (token: string) => Promise<Claims | null>
}

const issuer = 'orrery'
/** How far the clocks of issuer and server may differ, in seconds. */
const clockTolerance = 30
/** How long one of Orrery's own JWTs may be valid, in seconds: it cannot be revoked. */
export const longestLifetime = 3600
/** Asymmetric algorithms only: a provider's public key is never taken for an HMAC secret (RFC 8725, 3.1). */
const providerAlgorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/** Mints one of Orrery's own JWTs (HS256). `lifetime` in seconds, at most `longestLifetime`. */
export async function mintJwt(
  key: KeyObject,
  claims: { role: 'operator' } | { role: TenantRole; tenantId: string },
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
 * Verifies Orrery's own JWTs and, where one is configured, an identity provider's. The unverified issuer only selects
 * one of the two checks; each pins its own algorithms, key, issuer and audience.
 * @param previous keys of the earlier secrets: a token that they signed is valid until it expires
 */
export function jwtVerifier(
  key: KeyObject,
  provider: IdentityProvider | null,
  previous: readonly KeyObject[] = [],
): JwtVerifier {
  const verified = new VerifiedTokens<Claims>(clockTolerance)
  // Only Orrery's own: an identity provider changes its keys.
  const own = async (token: string): Promise<Claims | null> => {
    const claims = await verifyOwn(token, [key, ...previous])
    if (claims) verified.add(token, claims)
    return claims
  }
  return {
    async verify(token) {
      const known = verified.get(token)
      if (known) return known
      try {
        return provider && decodeJwt(token).iss === provider.issuer
          ? await verifyProviders(token, provider)
          : await own(token)
      } catch (error) {
        if (error instanceof errors.JOSEError) return null
        throw error
      }
    },
  }
}

const common = { clockTolerance, requiredClaims: ['exp', 'sub'] }

async function verifyOwn(token: string, [key, ...others]: readonly KeyObject[]): Promise<Claims | null> {
  if (!key) return null
  try {
    // Its age is checked too, which refuses one that begins in the future.
    const checks = { ...common, algorithms: ['HS256'], issuer, audience: issuer, maxTokenAge: longestLifetime }
    const { payload } = await jwtVerify(token, key, checks)
    if (Number(payload.exp) - Number(payload.iat) > longestLifetime + clockTolerance) return null
    return claimsOf(payload, rightsClaimed(payload, 'orrery_role', 'orrery_tenant'))
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return verifyOwn(token, others)
    throw error
  }
}

async function verifyProviders(token: string, provider: IdentityProvider): Promise<Claims | null> {
  const { keys, audience, roleClaim, tenantClaim, groupsClaim, rules } = provider
  try {
    const checks = { ...common, algorithms: providerAlgorithms, issuer: provider.issuer, audience }
    const { payload } = await jwtVerify(token, keys, checks)
    return claimsOf(
      payload,
      rules ? rightsByGroups(rules, payload[groupsClaim]) : rightsClaimed(payload, roleClaim, tenantClaim),
    )
  } catch (error) {
    // A key that cannot be used, say. Anyone can send a token that names it, so it must not fail the request.
    if (!(error instanceof errors.JOSEError)) provider.report(error)
    return null
  }
}

const subject = z
  .string()
  .min(1)
  // It is stored with changes, and a database accepts neither NUL nor half a surrogate pair, whether cut here or sent.
  .refine((text) => lineProblem(text) === null)
  .transform((text) => [...text].slice(0, 255).join(''))

/** An operator belongs to no tenant: the tenant claim of an operator is ignored. */
const rightsShape = z.discriminatedUnion('role', [
  z.object({ role: z.literal('operator') }),
  z.object({ role: z.enum(tenantRoles), tenantId: z.uuid().toLowerCase() }).transform((rights) => ({
    ...rights,
    clusterIds: null,
  })),
])

/** What the claims themselves say that their subject may; null when they do not. */
function rightsClaimed(payload: JWTPayload, roleClaim: string, tenantClaim: string): PersonRights | null {
  const { [roleClaim]: role, [tenantClaim]: tenantId } = payload
  return rightsShape.safeParse({ role, tenantId }).data ?? null
}

function claimsOf({ sub, exp }: JWTPayload, rights: PersonRights | null): Claims | null {
  const named = subject.safeParse(sub)
  if (rights === null || !named.success || exp === undefined) return null
  return { ...rights, subject: named.data, expiresAt: new Date(exp * 1000) }
}
