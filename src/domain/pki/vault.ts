import { openCa, type CertificateAuthority } from '../../pki/ca.ts'
import { PkiError } from '../../pki/errors.ts'
import { seal, sealingKey, unseal, type SealingKey } from '../../pki/seal.ts'

/** Seals secrets that the database must not hold in plain text, bound to their cluster. */
export class Vault {
  readonly #key: SealingKey
  readonly #previous: readonly SealingKey[]

  /**
   * @param secret ORRERY_SECRET
   * @param previous earlier secrets: what they sealed still opens
   */
  constructor(secret: string, previous: readonly string[] = []) {
    this.#key = sealingKey(secret)
    this.#previous = previous.map(sealingKey)
  }

  seal(plaintext: string, clusterId: string): string {
    return seal(plaintext, { key: this.#key, clusterId })
  }

  /** @throws PkiError when it was sealed under another secret or for another cluster, or was changed */
  unseal(sealed: string, clusterId: string): string {
    const key = this.#previous.find((one) => opens(sealed, one, clusterId)) ?? this.#key
    return unseal(sealed, { key, clusterId })
  }

  /** Whether one of the secrets opens a text. */
  opens(sealed: string, clusterId: string): boolean {
    return [this.#key, ...this.#previous].some((key) => opens(sealed, key, clusterId))
  }

  /** Whether a text is sealed under the present secret. */
  isSealedByPresent(sealed: string, clusterId: string): boolean {
    return opens(sealed, this.#key, clusterId)
  }

  /** Opens a cluster's CA, so that it can sign. @throws PkiError */
  openCa(certificate: string, sealedKey: string, clusterId: string): CertificateAuthority {
    return openCa(certificate, this.unseal(sealedKey, clusterId))
  }
}

function opens(sealed: string, key: SealingKey, clusterId: string): boolean {
  try {
    unseal(sealed, { key, clusterId })
    return true
  } catch (error) {
    if (error instanceof PkiError) return false
    throw error
  }
}
