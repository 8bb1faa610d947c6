import { ConflictError } from '../../base/errors.ts'
import type { Opener } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'

/** The sealed keys of a cluster's row. */
type Sealed = Pick<Cluster, 'id' | 'pkiCaKey' | 'bundleSigningKey'>

/** The columns that a caller has to read. */
export const sealedKeys = { id: true, pkiCaKey: true, bundleSigningKey: true } as const

/** The remedy for a cluster whose keys do not open, for the log and every refusal. */
export const remedy =
  'Start the server with the secret that sealed them; or import the CA again (importClusterPki), or give the cluster a ' +
  'new CA that its nodes learn to trust (rotateClusterCa).'

/** A cluster without usable keys: its changes would never be published, and its machines would get no certificate. */
export class ClosedKeysError extends ConflictError {
  constructor(clusterId: string, options?: ErrorOptions) {
    super(
      `Nothing was changed: the keys that sign for cluster ${clusterId} are sealed, and what seals them does not open ` +
        `under this server's ORRERY_SECRET (or data/secret). ${remedy}`,
    )
    if (options?.cause !== undefined) this.cause = options.cause
  }
}

/** Whether a cluster's keys open: the one check for the API, the publisher, the start and `/readyz`. */
export const areKeysOpen = (opener: Opener, { id, pkiCaKey, bundleSigningKey }: Sealed): boolean =>
  [pkiCaKey, bundleSigningKey].every((sealed) => sealed === null || opener.opens(sealed, id))

/**
 * Refuses a change that could not be published.
 * @param opener null in a scope without a secret: then the failure appears when something is signed
 * @throws ClosedKeysError
 */
export function assertKeysOpen(opener: Opener | null, cluster: Sealed): void {
  if (opener !== null && !areKeysOpen(opener, cluster)) throw new ClosedKeysError(cluster.id)
}
