import { openCa, type CertificateAuthority } from '../pki/ca.ts'
import { seal, sealingKey, unseal, type SealingKey } from '../pki/seal.ts'

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

  /** @throws PkiError when it was sealed under another secret or for another cluster, or was changed */
  unseal(sealed: string, clusterId: string): string {
    return unseal(sealed, { key: this.#key, clusterId })
  }

  /** Opens a cluster's CA, so that it can sign. @throws PkiError */
  openCa(certificate: string, sealedKey: string, clusterId: string): CertificateAuthority {
    return openCa(certificate, this.unseal(sealedKey, clusterId))
  }
}
