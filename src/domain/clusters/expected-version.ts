import { ConflictError } from '../../base/errors.ts'
import { withOthers } from '../../base/with-others.ts'
import type { Scope } from '../../auth/scope.ts'

/**
 * A scope for a caller who replaces what it saw: with it, a cluster is changed only where it has not been changed since.
 * @param version the `configVersion` that the caller saw; null or absent where it does not say
 */
export const expecting = (scope: Scope, version: number | null | undefined): Scope =>
  typeof version === 'number' ? withOthers(scope, { expectedVersion: version }) : scope

/**
 * Keeps a change from replacing what its caller has not seen.
 * @param cluster as it is before the change
 * @throws ConflictError that says what is there now
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
