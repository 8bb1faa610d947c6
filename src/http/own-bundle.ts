import type { Session } from '../auth/session.ts'
import type { Logger } from '../base/log.ts'
import type { BundleShelf } from '../domain/bundle/shelf.ts'
import { slicePartsOf } from '../domain/bundle/slices.ts'
import { getLatestConfigBundleVersion } from '../domain/config-bundles.ts'

/** What downloads are served from. */
export interface BundleMeans {
  readonly shelf: BundleShelf
  readonly log: Logger
}

/** What `GET /bundle` answers, however it is sent. */
export type OwnBundle =
  | { readonly kind: 'unauthenticated' | 'notANode' | 'none' | 'notYet' }
  | { readonly kind: 'known'; readonly version: number }
  | { readonly kind: 'slice'; readonly version: number; readonly parts: readonly Uint8Array[] }

/**
 * A node's own slice of its cluster's newest bundle, out of memory once one of its nodes asked.
 * @param ifNoneMatch the header; null when there is none
 */
export async function ownBundle(
  session: Session,
  ifNoneMatch: string | null,
  { shelf, log }: BundleMeans,
): Promise<OwnBundle> {
  if (session.kind === 'anonymous') return { kind: 'unauthenticated' }
  if (session.kind !== 'node') return { kind: 'notANode' }
  const { scope, clusterId, nodeId } = session
  // Most polls end here: the number of the newest version is all that they read.
  const version = await getLatestConfigBundleVersion(scope, clusterId)
  if (version === null) return { kind: 'none' }
  if (isKnown(ifNoneMatch, version)) return { kind: 'known', version }
  const bundle = await shelf.get(clusterId, version)
  if (bundle === null) {
    log.warn({ clusterId, version }, 'the newest bundle was not compiled; the next version will be')
    return { kind: 'none' }
  }
  const parts = slicePartsOf(bundle, nodeId)
  return parts === null ? { kind: 'notYet' } : { kind: 'slice', version, parts }
}

export const validators = (version: number) => ({
  etag: `"${version}"`,
  // Kept by the client alone, and asked for again each time: the credential may have ended.
  'cache-control': 'private, no-cache',
  vary: 'authorization',
})

/** Whether `If-None-Match` names this version: weakly, any of a list, or `*` (RFC 9110, 13.1.2). */
export const isKnown = (ifNoneMatch: string | null, version: number): boolean =>
  (ifNoneMatch ?? '').split(',').some((one) => ['*', `"${version}"`].includes(one.trim().replace(/^W\//, '')))
