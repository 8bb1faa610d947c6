import { hash } from 'node:crypto'

import { ClientAddresses } from '../../base/limits/client-addresses.ts'
import { LimitError } from '../../base/errors.ts'
import { TokenBuckets } from '../../base/limits/token-buckets.ts'
import type { Incoming } from './incoming.ts'
import { credentialIn } from './session-cookie.ts'

/** How many requests callers may make that are not signed in ("strangers"). */
export interface StrangerLimits {
  /** Requests without a valid credential that an address may make per second, and in a burst after a pause. */
  readonly perSecond: number
  readonly burst: number
  /** The proxies whose `X-Forwarded-For` is trusted: addresses and CIDRs. */
  readonly trustedProxies: readonly string[]
}

/** What a request tells of its caller before authentication. */
export interface Caller {
  /** The `Authorization` header, or the session of the page's cookie in the same form. */
  readonly authorization: string | null
  /** The address that ClientAddresses finds; null without a connection, and then nothing is counted. */
  readonly address: string | null
}

/** How many addresses are counted, in memory. */
const kept = 10_000
/** How many credentials are remembered as good: at least this many, and at most twice as many. */
const keptGood = 10_000
/** Strangers' documents that are parsed: most send the same introspection query, which is answered from a cache. */
const documents = { perSecond: 1, burst: 10, debt: 0, keys: kept }
/** The longest time that a refusal asks its caller to wait, in seconds. */
const longestWait = 60

/**
 * Counts requests without a valid credential, by address. An address beyond its budget gets 429 after its credential
 * was looked up and found to be invalid. When it has exceeded the budget by as much again, it is refused before anything
 * is looked up. Credentials that were good recently pass even then, so that another machine with the same address is
 * not shut out: only one whose credential has not been seen yet may have to try again.
 */
export class Strangers {
  readonly #addresses: ClientAddresses
  readonly #requests: TokenBuckets
  readonly #documents: TokenBuckets
  /** Two generations, because every request looks here: an LRU order would cost ten times as much. */
  #good = new Set<string>()
  #goodBefore = new Set<string>()
  readonly #floor: number

  /** @param now a clock that only runs forwards, milliseconds */
  constructor({ perSecond, burst, trustedProxies }: StrangerLimits, now?: () => number) {
    this.#addresses = new ClientAddresses(trustedProxies)
    this.#requests = new TokenBuckets({ perSecond, burst, debt: burst, keys: kept }, now)
    this.#documents = new TokenBuckets(documents, now)
    this.#floor = 1 - burst
  }

  callerOf({ headers, socket }: Pick<Incoming, 'headers' | 'socket'>): Caller {
    const forwardedFor = headers['x-forwarded-for']
    const address = this.#addresses.of(socket.remoteAddress, forwardedFor?.toString())
    return { authorization: credentialIn(headers), address }
  }

  /**
   * To be called before a credential is looked up.
   * @throws LimitError when the address is far beyond its budget
   */
  admit({ address, authorization }: Caller): void {
    if (address === null || this.#requests.left(address) >= this.#floor) return
    if (authorization !== null && this.#isGood(digestOf(authorization))) return
    throw refusal(this.#requests.secondsUntilNext(address))
  }

  /**
   * Counts a request that has no valid credential.
   * @throws LimitError when its address has no such request left
   */
  count({ address }: Pick<Caller, 'address'>): void {
    if (address === null || this.#requests.take(address)) return
    throw refusal(this.#requests.secondsUntilNext(address))
  }

  /** Remembers a valid credential. */
  remember({ authorization }: Caller): void {
    const key = digestOf(authorization ?? '')
    if (this.#good.has(key)) return
    if (this.#good.size >= keptGood) {
      this.#goodBefore = this.#good
      this.#good = new Set()
    }
    this.#good.add(key)
  }

  #isGood(key: string): boolean {
    return this.#good.has(key) || this.#goodBefore.has(key)
  }

  /**
   * Counts a stranger's document that is to be parsed.
   * @throws LimitError when its address has none left
   */
  countDocument({ address }: Pick<Caller, 'address'>): void {
    if (address === null || this.#documents.take(address)) return
    throw refusal(this.#documents.secondsUntilNext(address))
  }
}

/** Identifies a credential in memory without keeping it. */
export const digestOf = (authorization: string): string => hash('sha256', authorization, 'base64')

const refusal = (seconds: number): LimitError =>
  new LimitError('Too many requests without a valid credential come from your address.', Math.min(longestWait, seconds))
