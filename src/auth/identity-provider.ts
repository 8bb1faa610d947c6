import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import * as z from 'zod'

import type { Logger } from '../base/log.ts'

/** A company's identity provider (OpenID Connect), as it is configured. */
export interface IdentityProviderSettings {
  readonly issuer: string
  readonly audience: string
  /** Where the signing keys are; found through the issuer's discovery document when null. */
  readonly jwksUrl: string | null
  /** The claim that holds `operator`, `admin` or `viewer`, and the one that holds the tenant's id. */
  readonly roleClaim: string
  readonly tenantClaim: string
}

export interface IdentityProvider extends IdentityProviderSettings {
  /** Finds the key of a token's header; throws JWKSNoMatchingKey where there is none, for whatever reason. */
  readonly keys: JWTVerifyGetKey
  /** Logs what is wrong with the provider or its keys, which no caller is told. */
  readonly report: (fault: unknown) => void
}

/** All in milliseconds. */
const times = {
  /** For all requests of one look at the provider. */
  timeout: 5000,
  /** Between two looks, and between two lines of the log: unknown keys and outages cause no storm of either. */
  pause: 30_000,
  /** How old keys may be before they are asked for again. */
  refresh: 10 * 60_000,
  /** How old they may be at all: a provider that cannot be reached does not sign its users out at once. */
  forget: 60 * 60_000,
}

/**
 * An identity provider with its keys, which are fetched when the first of its tokens arrives, so that Orrery starts
 * without it. While it cannot be reached, tokens whose keys are known are verified, and others do not hold.
 * @param now a clock that only runs forwards, milliseconds
 */
export function identityProvider(
  settings: IdentityProviderSettings,
  log: Logger,
  now: () => number = () => performance.now(),
): IdentityProvider {
  let known: { readonly find: JWTVerifyGetKey; readonly at: number } | null = null
  let asking: Promise<void> | null = null
  let askedAt = -Infinity
  let reportedAt = -Infinity

  const report = (fault: unknown): void => {
    if (now() - reportedAt < times.pause) return
    reportedAt = now()
    log.error({ err: fault, issuer: settings.issuer }, 'the identity provider’s keys cannot be used')
  }
  const ask = async (): Promise<void> => {
    try {
      known = { find: createLocalJWKSet(await fetchKeys(settings)), at: now() }
    } catch (fault) {
      report(fault)
    }
  }
  /** Asks the provider unless that was done a moment ago; whoever comes meanwhile waits for the same answer. */
  const refresh = async (): Promise<void> => {
    if (now() - askedAt >= times.pause) {
      askedAt = now()
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

const discoveryShape = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) })

/** The provider's key set, found as OpenID Connect Discovery 1.0 says (section 4) unless its address is configured. */
async function fetchKeys({ issuer, jwksUrl }: IdentityProviderSettings): Promise<JSONWebKeySet> {
  const signal = AbortSignal.timeout(times.timeout)
  // createLocalJWKSet checks its shape.
  if (jwksUrl !== null) return (await fetchJson(jwksUrl, signal)) as JSONWebKeySet
  const address = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const { issuer: named, jwks_uri } = discoveryShape.parse(await fetchJson(address, signal))
  if (named !== issuer) throw new Error(`${address} names another issuer: ${named}`)
  return (await fetchJson(jwks_uri, signal)) as JSONWebKeySet
}

async function fetchJson(address: string, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(address, { signal, redirect: 'error', headers: { accept: 'application/json' } })
  if (response.status !== 200) throw new Error(`${address} answered with status ${response.status}`)
  return response.json()
}
