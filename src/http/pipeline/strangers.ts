import { hash } from 'node:crypto'

import { ClientAddresses } from '../../base/limits/client-addresses.ts'
import { LimitError } from '../../base/errors.ts'
import { TokenBuckets } from '../../base/limits/token-buckets.ts'
import type { Incoming } from './incoming.ts'

/** What those who are not signed in may cost. */
export interface StrangerLimits {
  /** Requests without a valid credential that an address may make a second, and at once after a pause. */
  readonly perSecond: number
  readonly burst: number
  /** The proxies whose `X-Forwarded-For` holds: addresses and CIDRs. */
  readonly trustedProxies: readonly string[]
}

/** Who makes a request, before anybody knows who that is. */
export interface Caller {
  readonly authorization: string | null
  /** As ClientAddresses tells it; null where there is no connection, and then nothing is counted. */
  readonly address: string | null
}

/** Addresses that are counted, in memory. */
const kept = 10_000
/** Credentials that are known to be good: at least so many, and at most twice as many. */
const keptGood = 10_000
/** Documents of strangers that are parsed: most ask the one question about the schema, which is answered from memory. */
const documents = { perSecond: 1, burst: 10, debt: 0, keys: kept }
/** Seconds that a refusal asks its caller to wait at most. */
const longestWait = 60

/**
 * Counts requests without a valid credential, by address. Beyond its budget an address is answered 429 once its credential
 * was looked at and found to be none; when it is as far beyond as its budget is large, it is refused before anything is
 * looked up. Credentials that were good lately pass even then, so that a machine behind the same address is not shut
 * out: only one whose credential nobody has seen yet may have to come again.
 */
export class Strangers {
  readonly #addresses: ClientAddresses
  readonly #requests: TokenBuckets
  readonly #documents: TokenBuckets
  /** Two generations: each request asks here, and an order of use would cost ten times what this does. */
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
    return { authorization: headers.authorization ?? null, address }
  }

  /**
   * Before a credential is looked up.
   * @throws LimitError
   */
  admit({ address, authorization }: Caller): void {
    if (address === null || this.#requests.left(address) >= this.#floor) return
    if (authorization !== null && this.#isGood(digestOf(authorization))) return
    throw refusal(this.#requests.secondsUntilNext(address))
  }

  /**
   * A request turned out to have no valid credential.
   * @throws LimitError when its address has no such request left
   */
  count({ address }: Pick<Caller, 'address'>): void {
    if (address === null || this.#requests.take(address)) return
    throw refusal(this.#requests.secondsUntilNext(address))
  }

  /** A credential turned out to be good. */
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
   * A stranger's document is to be parsed.
   * @throws LimitError when its address has none left
   */
  countDocument({ address }: Pick<Caller, 'address'>): void {
    if (address === null || this.#documents.take(address)) return
    throw refusal(this.#documents.secondsUntilNext(address))
  }
}

/** What tells credentials apart in memory, where none is kept. */
export const digestOf = (authorization: string): string => hash('sha256', authorization, 'base64')

const refusal = (seconds: number): LimitError =>
  new LimitError('Too many requests without a valid credential come from your address.', Math.min(longestWait, seconds))
