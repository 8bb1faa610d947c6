import { ConflictError } from '../../base/errors.ts'
import type { Opener } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'

/** What of a cluster's row signs for it, sealed. */
type Sealed = Pick<Cluster, 'id' | 'pkiCaKey' | 'bundleSigningKey'>

/** The columns that whoever asks has to read. */
export const sealedKeys = { id: true, pkiCaKey: true, bundleSigningKey: true } as const

/** What to do about a cluster whose keys do not open; said by the log and by every refusal. */
export const remedy =
  'Start the server with the secret that sealed them; or import the CA again (importClusterPki), or give the cluster a ' +
  'new CA that its nodes learn to trust (rotateClusterCa).'

/** A cluster that cannot be signed for: its changes would never be published, and its machines get no certificate. */
export class ClosedKeysError extends ConflictError {
  constructor(clusterId: string, options?: ErrorOptions) {
    super(
      `Nothing was changed: the keys that sign for cluster ${clusterId} are sealed, and what seals them does not open ` +
        `under this server's ORRERY_SECRET (or data/secret). ${remedy}`,
    )
    if (options?.cause !== undefined) this.cause = options.cause
  }
}

/** Whether a cluster can be signed for. This decides it, for the API, the publisher, the start and `/readyz` alike. */
export const areKeysOpen = (opener: Opener, { id, pkiCaKey, bundleSigningKey }: Sealed): boolean =>
  [pkiCaKey, bundleSigningKey].every((sealed) => sealed === null || opener.opens(sealed, id))

/**
 * Refuses to change what could not be published.
 * @param opener null where whoever works in a scope has no secret: then it is found when something is signed
 * @throws ClosedKeysError
 */
export function assertKeysOpen(opener: Opener | null, cluster: Sealed): void {
  if (opener !== null && !areKeysOpen(opener, cluster)) throw new ClosedKeysError(cluster.id)
}
