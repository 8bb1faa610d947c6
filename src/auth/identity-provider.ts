import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import * as z from 'zod'

import { boundedRequest } from '../base/bounded-request.ts'
import { jsonOf } from '../base/json.ts'
import type { Logger } from '../base/log.ts'
import { printableLine } from '../base/texts/printable.ts'
import type { GroupRule } from './group-rules.ts'

/** A company's identity provider (OpenID Connect), as it is configured. */
export interface IdentityProviderSettings {
  readonly issuer: string
  readonly audience: string
  /** Where the signing keys are; found through the issuer's discovery document when null. */
  readonly jwksUrl: string | null
  /** Without rules: the claim that holds `operator` or a role in a tenant, and the one that holds the tenant's id. */
  readonly roleClaim: string
  readonly tenantClaim: string
  /** With rules: the claim that holds the person's groups, and what they lead to. Null: role and tenant are claims. */
  readonly groupsClaim: string
  readonly rules: readonly GroupRule[] | null
}

export interface IdentityProvider extends IdentityProviderSettings {
  /** Finds the key for a token's header; throws JWKSNoMatchingKey when there is none, for any reason. */
  readonly keys: JWTVerifyGetKey
  /** Logs what is wrong with the provider or its keys; callers do not learn it. */
  readonly report: (fault: unknown) => void
}

/** For the discovery document and for the key set, each. A provider has some kilobytes of either. */
const bounds = { head: 16 * 1024, body: 1024 * 1024, time: 5000 }

/** All in milliseconds. */
const times = {
  /**
   * Between two requests to a provider that answers: tokens with unknown keys, which anyone can make, do not shorten
   * it.
   */
  pause: 5000,
  /** Between two requests to a provider that does not answer, and between two lines of the log. */
  outage: 30_000,
  /** The age at which keys are fetched again. */
  refresh: 10 * 60_000,
  /** The greatest age of keys: an unreachable provider does not sign its users out at once. */
  forget: 60 * 60_000,
}

/**
 * An identity provider with its keys, which are fetched when its first token arrives, so that Orrery starts without it.
 * While it cannot be reached, tokens whose keys are known are verified, and all other tokens are rejected.
 * @param now a clock that only runs forwards, milliseconds
 */
export function identityProvider(
  settings: IdentityProviderSettings,
  log: Logger,
  now: () => number = () => performance.now(),
): IdentityProvider {
  let known: { readonly find: JWTVerifyGetKey; readonly at: number } | null = null
  let asking: Promise<void> | null = null
  /** No request before this time. */
  let notBefore = -Infinity
  let reportedAt = -Infinity

  const report = (fault: unknown): void => {
    if (now() - reportedAt < times.outage) return
    reportedAt = now()
    log.error({ err: fault, issuer: settings.issuer }, 'the identity provider’s keys cannot be used')
  }
  const ask = async (): Promise<void> => {
    notBefore = now() + times.outage
    try {
      known = { find: createLocalJWKSet(await fetchKeys(settings)), at: now() }
      notBefore = now() + times.pause
    } catch (fault) {
      report(fault)
    }
  }
  /** Asks the provider unless that was done a moment ago; concurrent callers wait for the same answer. */
  const refresh = async (): Promise<void> => {
    if (now() >= notBefore) {
      asking = ask().finally(() => {
        asking = null
      })
    }
    await asking
  }
  const find: JWTVerifyGetKey = async (header, token) => {
    if (known === null || now() - known.at > times.forget) throw new errors.JWKSNoMatchingKey()
    return known.find(header, token)
  }
  return {
    ...settings,
    report,
    async keys(header, token) {
      if (known === null || now() - known.at > times.refresh) await refresh()
      try {
        return await find(header, token)
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      }
      // The provider may have changed its keys.
      await refresh()
      return find(header, token)
    },
  }
}

const discoveryShape = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }).max(2000) })
/** createLocalJWKSet checks it. */
const keysShape = z.custom<JSONWebKeySet>()

/** The provider's key set, found through OpenID Connect Discovery 1.0 (section 4) unless its address is configured. */
async function fetchKeys({ issuer, jwksUrl }: IdentityProviderSettings): Promise<JSONWebKeySet> {
  if (jwksUrl !== null) return fetchJson(jwksUrl, keysShape)
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { issuer: named, jwks_uri } = await fetchJson(address, discoveryShape)
  if (named !== issuer) throw new Error(`${address} names another issuer: ${printableLine(named, 255)}`)
  return fetchJson(jwks_uri, keysShape)
}

/** The provider, or a server in its place, may send anything: the answer is bounded, and redirects are not followed. */
async function fetchJson<Shape extends z.ZodType>(address: string, shape: Shape): Promise<z.infer<Shape>> {
  const { status, body } = await boundedRequest(address, { headers: { accept: 'application/json' } }, bounds)
  if (status !== 200) throw new Error(`${address} answered with status ${status}`)
  return jsonOf(shape).parse(body.toString())
}
