import type { Operator } from '../../auth/scope.ts'
import { BundleShelf } from './read/shelf.ts'
import { getConfigBundleArchive } from './config-bundles.ts'

/**
 * The shelf that nodes are served from. It does not know tenants: its caller must name the cluster that the credential
 * belongs to, never one that a request names.
 */
export const bundleShelf = (operator: Operator): BundleShelf =>
  new BundleShelf(async (clusterId, version) => {
    const bundle = await getConfigBundleArchive(operator, clusterId, version)
    return bundle?.data ?? null
  })
