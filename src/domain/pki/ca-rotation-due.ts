import { NotFoundError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { systemActor } from '../../auth/session.ts'
import type { Cluster } from '../../db/client/types.ts'
import { beginCaRotation } from './ca-rotation.ts'
import { caDetails } from './cluster-ca.ts'
import { bySystem } from '../audit/recorded.ts'
import { updateCluster } from '../clusters/cluster-change.ts'
import { areKeysOpen, ClosedKeysError } from './closed-keys.ts'
import { lifetimeDaysOf, replacementDueAt } from './ends.ts'
import type { Vault } from './vault.ts'

/* The automatic rotation. The master's sweeps take its steps; an instance that writes nodes' reports may take them earlier. */

/** The columns of a cluster that decide on it. */
type Due = Pick<Cluster, 'pkiCaCert' | 'pkiCaKey' | 'caRotationAutomatic' | 'caRotationPhase'>

/**
 * When the automatic replacement of the CA begins.
 * @returns null when it is disabled, when a rotation runs already, or when there is no CA, or one without its key
 */
export function automaticRotationAt({ pkiCaCert, pkiCaKey, caRotationAutomatic, caRotationPhase }: Due): Date | null {
  if (!caRotationAutomatic || caRotationPhase !== null || pkiCaCert === null || pkiCaKey === null) return null
  return replacementDueAt(caDetails(pkiCaCert))
}

/** Whether the current rotation began automatically. */
export const isAutomatic = ({ caRotationStartedBy }: Pick<Cluster, 'caRotationStartedBy'>): boolean =>
  caRotationStartedBy === systemActor

/** Rolls back the version: under the cluster's lock, no rotation is due. */
class NotDue extends Error {}

/**
 * Begins to replace a CA that is about to expire, or has expired, with one of the same lifetime, by the steps of
 * `rotateClusterCa`. A CA whose key does not open is left to people, who know whether the key or the secret is
 * available.
 * @returns whether a rotation began
 */
export async function beginDueCaRotation(operator: Operator, vault: Vault, id: string, now: Date): Promise<boolean> {
  try {
    await updateCluster(bySystem(operator, 'cluster.ca.rotate'), id, 'CA rotation: the CA ends soon', (change) => {
      const { cluster } = change
      const at = automaticRotationAt(cluster)
      if (at === null || at > now || cluster.pkiCaCert === null || !areKeysOpen(vault, cluster)) throw new NotDue()
      const lifetimeDays = Math.max(1, Math.round(lifetimeDaysOf(caDetails(cluster.pkiCaCert))))
      return beginCaRotation(vault, change, { lifetimeDays, startedBy: operator.actor })
    })
    return true
  } catch (error) {
    if (error instanceof NotDue || error instanceof NotFoundError || error instanceof ClosedKeysError) return false
    throw error
  }
}

/**
 * Sets whether the cluster's CA is replaced automatically before it expires. The nodes' configuration does not change.
 * It is still a version, for the audit trail and so that two concurrent changes conflict.
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
