import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import { refusal } from '../../db/client/errors.ts'
import { bundleList, type BundleOrder } from '../../db/reads/lists.ts'
import type { ConfigBundle as ConfigBundleRow, Prisma } from '../../db/client/types.ts'
import { withClusterLocked } from '../clusters/cluster-change.ts'
import type { List } from '../shared/pages.ts'
import { noteTerms } from '../audit/recorded.ts'
import { check } from '../shared/rules.ts'

/** A bundle without its archive: everything that is read except for a download. */
export type ConfigBundle = Omit<ConfigBundleRow, 'data'>

/** All columns but the archive. */
export const bundleMetadata = {
  version: true,
  tenantId: true,
  clusterId: true,
  createdById: true,
  createdAt: true,
  sha256: true,
  size: true,
  message: true,
} as const satisfies Prisma.ConfigBundleSelect

/**
 * ListBundles: the versions of a cluster, in pages, never with their archives; newest first unless another order is asked
 * for. Counted: CountBundles.
 */
export const listConfigBundles = (orderBy?: BundleOrder): List => bundleList(orderBy)

/** GetBundle: one version's metadata; null when it does not exist or is not in the scope. */
export const getConfigBundle = (scope: Scope, clusterId: string, version: number): Promise<ConfigBundle | null> =>
  scope.db.configBundle.findFirst({ where: { clusterId, version }, select: bundleMetadata })

/** GetLatestBundle: the newest version's metadata; null when none was published. */
export const getLatestConfigBundle = (scope: Scope, clusterId: string): Promise<ConfigBundle | null> =>
  scope.db.configBundle.findFirst({ where: { clusterId }, orderBy: { version: 'desc' }, select: bundleMetadata })

/** The newest version's metadata of each of many clusters, in one query. */
export async function getLatestConfigBundles(
  scope: Scope,
  clusterIds: readonly string[],
): Promise<Map<string, ConfigBundle>> {
  const window = { after: null, before: null, limit: 1, inverted: false }
  const excerpt = { fields: Object.keys(bundleMetadata), window }
  const pages = await scope.read.pages(listConfigBundles(), clusterIds, excerpt)
  // The rows have all the metadata columns that make a ConfigBundle.
  const newest = [...pages].flatMap(([id, [row]]) => (row ? [[id, row as unknown as ConfigBundle] as const] : []))
  return new Map(newest)
}

/** GetLatestBundleVersion: the newest version's number and nothing else; null when none was published. */
export async function getLatestConfigBundleVersion(scope: Scope, clusterId: string): Promise<number | null> {
  const cluster = await scope.read.row('clusters', 'id', clusterId, latestVersion)
  return cluster?.latestBundleVersion ?? null
}

const latestVersion = ['latestBundleVersion'] as const

/** GetBundle with its archive, for a download; null when the version does not exist or is not in the scope. */
export const getConfigBundleArchive = (scope: Scope, clusterId: string, version: number) =>
  scope.db.configBundle.findFirst({ where: { clusterId, version }, select: { tenantId: true, data: true } })

/** GetBundle for several versions of a cluster in one statement: those that exist in the scope, by version. */
export async function getConfigBundles(
  scope: Scope,
  clusterId: string,
  versions: readonly number[],
): Promise<Map<number, ConfigBundle>> {
  const where = { clusterId, version: { in: [...versions] } }
  const bundles = await scope.db.configBundle.findMany({ where, select: bundleMetadata })
  return new Map(bundles.map((bundle) => [bundle.version, bundle]))
}

/** The same versions, only with their archives. */
export async function getConfigBundleArchives(
  scope: Scope,
  clusterId: string,
  versions: readonly number[],
): Promise<Map<number, Uint8Array>> {
  const where = { clusterId, version: { in: [...versions] } }
  const bundles = await scope.db.configBundle.findMany({ where, select: { version: true, data: true } })
  return new Map(bundles.map(({ version, data }) => [version, data]))
}

/**
 * DeleteBundle: removes one version; its number is never used again. The version with the configuration in force cannot
 * be deleted: it is the only record of an upload's settings.
 * @throws NotFoundError, ConflictError
 */
export async function deleteConfigBundle(scope: Scope, clusterId: string, version: number): Promise<ConfigBundle> {
  return withClusterLocked(scope, clusterId, 'ConfigBundle', async (tx, { tenantId, sharedConfigVersion }) => {
    if (sharedConfigVersion === version) {
      throw new ConflictError(
        `Version ${version} holds the shared configuration that is in force; roll back to another one first`,
      )
    }
    try {
      const where = { tenantId_clusterId_version: { tenantId, clusterId, version } }
      return await tx.configBundle.delete({ where, select: bundleMetadata })
    } catch (error) {
      if (refusal(error)?.kind === 'missing') throw new NotFoundError('ConfigBundle')
      throw error
    }
  })
}

const keepRule = z.object({
  keep: z.int().min(1, 'must be at least 1: the newest version is always kept').max(10_000, 'must be at most 10000'),
})

/**
 * DeleteOldBundles: removes all versions of a cluster except the newest `keep` and the one whose configuration is in
 * force; returns the number of removed versions.
 * @throws ValidationError, NotFoundError
 */
export async function deleteOldConfigBundles(
  scope: Scope,
  clusterId: string,
  input: { readonly keep: number },
): Promise<number> {
  const { keep } = check(keepRule, input)
  noteTerms(scope, { keep })
  return withClusterLocked(scope, clusterId, 'Cluster', async (tx, { sharedConfigVersion }) => {
    const [newestGone] = await tx.configBundle.findMany({
      where: { clusterId },
      orderBy: { version: 'desc' },
      skip: keep,
      take: 1,
      select: { version: true },
    })
    if (!newestGone) return 0
    const version = { lte: newestGone.version, ...(sharedConfigVersion === null ? {} : { not: sharedConfigVersion }) }
    return (await tx.configBundle.deleteMany({ where: { clusterId, version } })).count
  })
}
