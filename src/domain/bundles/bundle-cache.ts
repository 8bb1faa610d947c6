import type { Operator } from '../../auth/scope.ts'
import { BundleCache } from './read/bundle-cache.ts'
import { getConfigBundleArchive } from './config-bundles.ts'

/**
 * The cache of bundles that nodes are served from. It does not know tenants: its caller must name the cluster that the
 * credential belongs to, never one that a request names.
 */
export const bundleCache = (operator: Operator): BundleCache =>
  new BundleCache(async (clusterId, version) => {
    const bundle = await getConfigBundleArchive(operator, clusterId, version)
    return bundle?.data ?? null
  })
