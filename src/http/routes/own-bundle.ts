import type { NodeSession, Session } from '../../auth/session.ts'
import type { Logger } from '../../base/log.ts'
import type { BundleCache } from '../../domain/bundles/read/bundle-cache.ts'
import { slicePartsOf } from '../../domain/bundles/read/slices.ts'
import { isSignedIn, nodeIn } from '../../graphql/kit/access.ts'

/** What serving downloads needs. */
export interface BundleDependencies {
  readonly bundleCache: BundleCache
  readonly log: Logger
}

/** The outcome of `GET /bundle`, independent of HTTP. */
export type OwnBundle =
  | { readonly kind: 'unauthenticated' | 'blocked' | 'notANode' | 'none' | 'notYet' }
  | { readonly kind: 'known'; readonly version: number }
  | { readonly kind: 'slice'; readonly version: number; readonly parts: readonly Uint8Array[] }

/**
 * A node's own slice of its cluster's newest bundle, from memory once a node of the cluster has asked for it.
 * @param ifNoneMatch the header; null when there is none
 * @returns a value without a promise when no bundle has to be read
 */
export function ownBundle(
  session: Session,
  ifNoneMatch: string | null,
  dependencies: BundleDependencies,
): OwnBundle | Promise<OwnBundle> {
  if (session.kind === 'blockedNode') return { kind: 'blocked' }
  const node = nodeIn(session)
  if (node === null) return { kind: isSignedIn(session) ? 'notANode' : 'unauthenticated' }
  // Most polls end here: they need only the number of the newest version, which was read with the token's row.
  const { latestBundleVersion: version } = node.versions
  if (version === null) return { kind: 'none' }
  return isKnown(ifNoneMatch, version) ? { kind: 'known', version } : sliceFor(node, version, dependencies)
}

async function sliceFor({ clusterId, nodeId }: NodeSession, version: number, { bundleCache, log }: BundleDependencies) {
  const bundle = await bundleCache.get(clusterId, version)
  if (bundle === null) {
    log.warn({ clusterId, version }, 'the newest bundle was not compiled; the next version will be')
    return { kind: 'none' } as const
  }
  const parts = slicePartsOf(bundle, nodeId)
  return parts === null ? ({ kind: 'notYet' } as const) : ({ kind: 'slice', version, parts } as const)
}

export const etagOf = (version: number): string => `"${version}"`

/** Whether `If-None-Match` names this version: by weak comparison, in a list, or as `*` (RFC 9110, 13.1.2). */
export function isKnown(ifNoneMatch: string | null, version: number): boolean {
  if (ifNoneMatch === null) return false
  const tag = etagOf(version)
  if (ifNoneMatch === tag) return true
  return ifNoneMatch.split(',').some((one) => ['*', tag].includes(one.trim().replace(/^W\//, '')))
}
