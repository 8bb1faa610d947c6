import { NotFoundError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { systemActor } from '../../auth/session.ts'
import type { Cluster } from '../../db/client/types.ts'
import { beginCaRotation } from './ca-rotation.ts'
import { caDetails } from './cluster-ca.ts'
import { changeCluster, updateCluster } from '../clusters/cluster-change.ts'
import { areKeysOpen, ClosedKeysError } from './closed-keys.ts'
import { lifetimeDaysOf, replacementDueAt } from './ends.ts'
import type { Vault } from './vault.ts'

/* The rotation that begins by itself: the first of the three steps, taken by the master; the others are anybody's. */

/** What of a cluster decides on it. */
type Due = Pick<Cluster, 'pkiCaCert' | 'pkiCaKey' | 'caRotationAutomatic' | 'caRotationPhase'>

/**
 * When the CA's replacement begins by itself.
 * @returns null where it does not: it is not wanted, one runs already, or there is no CA, or one without its key
 */
export function automaticRotationAt({ pkiCaCert, pkiCaKey, caRotationAutomatic, caRotationPhase }: Due): Date | null {
  if (!caRotationAutomatic || caRotationPhase !== null || pkiCaCert === null || pkiCaKey === null) return null
  return replacementDueAt(caDetails(pkiCaCert))
}

/** Whether the rotation that runs began by itself. */
export const isAutomatic = ({ caRotationStartedBy }: Pick<Cluster, 'caRotationStartedBy'>): boolean =>
  caRotationStartedBy === systemActor

/** Takes the bump back: behind the cluster's lock, nothing is due. */
class NotDue extends Error {}

/**
 * Begins to replace a CA whose end is near, or past, with one that is valid for as long: by the steps of `rotateClusterCa`.
 * A CA whose key does not open is left to people, who know whether the key or the secret is to be had.
 * @returns whether it did
 */
export async function beginDueCaRotation(operator: Operator, vault: Vault, id: string, now: Date): Promise<boolean> {
  try {
    await changeCluster(operator, id, 'CA rotation: the CA ends soon', (change) => {
      const { cluster } = change
      const at = automaticRotationAt(cluster)
      if (at === null || at > now || cluster.pkiCaCert === null || !areKeysOpen(vault, cluster)) throw new NotDue()
      const lifetimeDays = Math.max(1, Math.round(lifetimeDaysOf(caDetails(cluster.pkiCaCert))))
      beginCaRotation(vault, change, { lifetimeDays, startedBy: operator.actor })
      return Promise.resolve()
    })
    return true
  } catch (error) {
    if (error instanceof NotDue || error instanceof NotFoundError || error instanceof ClosedKeysError) return false
    throw error
  }
}

/**
 * Sets whether the cluster's CA is replaced by itself before it ends. What nodes run does not change; it is a version like
 * the others for its audit trail, and so that two who set it at once learn of each other.
 * @throws NotFoundError, ConflictError as changeCluster
 */
export const updateClusterCaRotation = (
  scope: Scope,
  id: string,
  { automatic }: { readonly automatic: boolean },
): Promise<Cluster> =>
  updateCluster(scope, id, `automatic rotation of the CA ${automatic ? 'on' : 'off'}`, {
    caRotationAutomatic: automatic,
  })
