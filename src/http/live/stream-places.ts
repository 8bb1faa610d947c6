import { budgetOf, type SignedIn } from '../../auth/session.ts'
import { UnavailableError } from '../../base/errors.ts'
import { Faults } from '../../base/faults.ts'
import { Places } from '../../base/limits/places.ts'

/** How many streams may be open at once, on this instance. */
export interface StreamLimits {
  readonly ofNode: number
  /** Of one credential of a person. */
  readonly ofPerson: number
  /** Of all credentials of a tenant, its nodes' among them; of all operators as well. */
  readonly ofTenant: number
  /** Of everybody: what the process has file descriptors for. */
  readonly all?: number
}

/** Counts open streams, by credential and by tenant, so that nobody can hold all of them. */
export class StreamPlaces {
  readonly #ofNodes: Places
  readonly #ofPeople: Places
  readonly #ofTenants: Places
  readonly #all: number
  readonly #faults: Faults

  constructor({ ofNode, ofPerson, ofTenant, all = Infinity }: StreamLimits, faults = new Faults()) {
    this.#faults = faults
    // Streams end when they end; agents poll meanwhile.
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
   * @param credential what tells the caller's credential from others; a node has one
   * @returns gives it back, however often it is called
   * @throws LimitError when the caller has no more
   * @throws UnavailableError when nobody has
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
      // By its id: a rotation ends the streams of the token before, a moment later.
      case 'node':
        return this.#ofNodes.take(caller.nodeId)
      // Machines that enrol share a token, and there is nothing that they may listen to.
      case 'enrollingMachine':
        return this.#ofNodes.take(`enrolling ${caller.clusterId}`)
    }
  }
}
