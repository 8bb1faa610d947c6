import { ConflictError } from '../../base/errors.ts'
import { withOthers } from '../../base/with-others.ts'
import type { Scope } from '../../auth/scope.ts'

/**
 * A scope for a caller that replaces values it has read: it changes a cluster only if the cluster was not changed
 * since.
 * @param version the `configVersion` that the caller read; null or absent to skip the check
 */
export const expecting = (scope: Scope, version: number | null | undefined): Scope =>
  typeof version === 'number' ? withOthers(scope, { expectedVersion: version }) : scope

/**
 * Prevents a change from overwriting changes that its caller has not seen.
 * @param cluster its state before the change
 * @throws ConflictError with the current version
 */
export function assertExpected(
  { expectedVersion }: Scope,
  { id: clusterId, configVersion }: { readonly id: string; readonly configVersion: number },
  nodeId: string | null = null,
): void {
  if (expectedVersion === null || expectedVersion === configVersion) return
  throw new ConflictError(
    `The cluster is at version ${configVersion}, and you saw version ${expectedVersion}: look at what is there now`,
    { clusterId, nodeId, configVersion },
  )
}
