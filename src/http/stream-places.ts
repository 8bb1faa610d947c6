import type { SignedIn } from '../auth/session.ts'
import { LimitError } from '../base/errors.ts'

/** How many streams may be open at once, on this instance. */
export interface StreamLimits {
  readonly ofNode: number
  /** Of one credential of a person. */
  readonly ofPerson: number
  /** Of all credentials of a tenant, its nodes' among them; of all operators as well. */
  readonly ofTenant: number
}

/** Seconds: streams end when they end; agents poll meanwhile. */
const retryAfter = 30

/** Counts open streams, by credential and by tenant, so that nobody can hold all of them. */
export class StreamPlaces {
  readonly #limits: StreamLimits
  readonly #taken = new Map<string, number>()

  constructor(limits: StreamLimits) {
    this.#limits = limits
  }

  /** How many streams are open. */
  get size(): number {
    let size = 0
    for (const [key, taken] of this.#taken) if (key.startsWith(tenants)) size += taken
    return size
  }

  /**
   * Takes a place.
   * @param credential what tells the caller's credential from others; a node has one
   * @returns gives it back, however often it is called
   * @throws LimitError when there is none
   */
  take(caller: SignedIn, credential: string): () => void {
    const { ofTenant } = this.#limits
    const own = this.#ownOf(caller, credential)
    const tenant = `${tenants}${caller.scope.tenantId ?? 'operators'}`
    if (this.#count(own.key) >= own.limit) throw refusal(`${own.limit} streams of yours are open already.`)
    if (this.#count(tenant) >= ofTenant) throw refusal(`${ofTenant} streams of this tenant are open already.`)
    this.#add(own.key, 1)
    this.#add(tenant, 1)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#add(own.key, -1)
      this.#add(tenant, -1)
    }
  }

  #ownOf(caller: SignedIn, credential: string): { readonly key: string; readonly limit: number } {
    const { ofNode, ofPerson } = this.#limits
    switch (caller.kind) {
      case 'operator':
      case 'tenantAdmin':
        return { key: `person ${credential}`, limit: ofPerson }
      // By its id: a rotation ends the streams of the token before, a moment later.
      case 'node':
        return { key: `node ${caller.nodeId}`, limit: ofNode }
      // Machines that enrol share a token, and there is nothing that they may listen to.
      case 'enrollingMachine':
        return { key: `enrolling ${caller.clusterId}`, limit: ofNode }
    }
  }

  #count(key: string): number {
    return this.#taken.get(key) ?? 0
  }

  #add(key: string, change: number): void {
    const taken = this.#count(key) + change
    if (taken === 0) this.#taken.delete(key)
    else this.#taken.set(key, taken)
  }
}

const tenants = 'tenant '

const refusal = (message: string): LimitError => new LimitError(`${message} Close one first.`, retryAfter)
