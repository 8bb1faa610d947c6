import { seal, sealingKey, type SealingKey } from '../pki/seal.ts'

/** Seals what the database must not hold readable, bound to the cluster it is for. */
export class Vault {
  readonly #key: SealingKey

  /** @param secret ORRERY_SECRET */
  constructor(secret: string) {
    this.#key = sealingKey(secret)
  }

  seal(plaintext: string, clusterId: string): string {
    return seal(plaintext, { key: this.#key, clusterId })
  }
}
