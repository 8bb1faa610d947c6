import { budgetOf, type SignedIn } from '../../auth/session.ts'
import { UnavailableError } from '../../base/errors.ts'
import { Faults } from '../../base/faults.ts'
import { Places } from '../../base/limits/places.ts'

/** How many streams may be open at once on this instance. */
export interface StreamLimits {
  readonly ofNode: number
  /** Per credential of a person. */
  readonly ofPerson: number
  /** For all credentials of a tenant together, including its nodes; and for all operators together. */
  readonly ofTenant: number
  /** In total: what the process has file descriptors for. */
  readonly all?: number
}

/** Counts open streams by credential and by tenant, so that no caller can take all places. */
export class StreamPlaces {
  readonly #ofNodes: Places
  readonly #ofPeople: Places
  readonly #ofTenants: Places
  readonly #all: number
  readonly #faults: Faults

  constructor({ ofNode, ofPerson, ofTenant, all = Infinity }: StreamLimits, faults = new Faults()) {
    this.#faults = faults
    // It cannot be known when a place will be free; agents poll until then.
    const placesOf = (what: string, ofOwner: number) =>
      new Places(what, { ofOwner, all: Infinity, retryAfterSeconds: 30 })
    this.#ofNodes = placesOf('open streams of yours', ofNode)
    this.#ofPeople = placesOf('open streams of yours', ofPerson)
    this.#ofTenants = placesOf('open streams of this tenant', ofTenant)
    this.#all = all
  }

  /** How many streams are open. */
  get size(): number {
    return this.#ofTenants.size
  }

  /**
   * Takes a place.
   * @param credential identifies the caller's credential; a node has only one
   * @returns gives the place back; further calls do nothing
   * @throws LimitError when the caller or its tenant has no place left
   * @throws UnavailableError when the instance has no place left
   */
  take(caller: SignedIn, credential: string): () => void {
    if (this.size >= this.#all) {
      this.#faults.note('streams', `${this.#all} streams are open`)
      throw new UnavailableError('streams')
    }
    const giveBack = this.#takeOwn(caller, credential)
    try {
      const giveBackTenants = this.#ofTenants.take(budgetOf(caller))
      return () => {
        giveBack()
        giveBackTenants()
      }
    } catch (error) {
      giveBack()
      throw error
    }
  }

  #takeOwn(caller: SignedIn, credential: string): () => void {
    switch (caller.kind) {
      case 'operator':
      case 'tenantAdmin':
        return this.#ofPeople.take(credential)
      // By its id: a token rotation ends the streams of the former token, but only a moment later.
      case 'node':
      case 'blockedNode':
        return this.#ofNodes.take(caller.nodeId)
      // Enrolling machines share a token, and may not subscribe to anything.
      case 'enrollingMachine':
        return this.#ofNodes.take(`enrolling ${caller.clusterId}`)
    }
  }
}
