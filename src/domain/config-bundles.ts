import { z } from 'zod'

import { NotFoundError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import { refusal } from '../db/errors.ts'
import type { Listing } from '../db/pages.ts'
import type { ConfigBundle as ConfigBundleRow, Prisma } from '../db/types.ts'
import { inspectBundle, type ArchiveSource } from './bundle/inspect.ts'
import { changeCluster } from './cluster-change.ts'
import { readPages, type List } from './pages.ts'
import { check, messageRule } from './rules.ts'

/** A bundle without its archive: what everything but a download reads. */
export type ConfigBundle = Omit<ConfigBundleRow, 'data'>

/** All columns but the archive. */
const bundleMetadata = {
  version: true,
  tenantId: true,
  clusterId: true,
  createdById: true,
  createdAt: true,
  sha256: true,
  size: true,
  message: true,
} as const satisfies Prisma.ConfigBundleSelect

/** The newest first, along idx_config_bundles_cluster_version. */
const listing: Listing = {
  table: 'config_bundles',
  order: ['version'],
  direction: 'desc',
  parent: {
    table: 'clusters',
    on: [
      ['tenant_id', 'tenant_id'],
      ['cluster_id', 'id'],
    ],
  },
}

/** ListBundles: the versions of a cluster, newest first, in pages, never with their archives. */
export const listConfigBundles = (): List => ({ listing, where: [] })

/** CountBundles: how many versions of the cluster are stored. */
export const countConfigBundles = (scope: Scope, clusterId: string): Promise<number> =>
  scope.db.configBundle.count({ where: { clusterId } })

/** GetBundle: one version's metadata; null when it does not exist or is not in the scope. */
export const getConfigBundle = (scope: Scope, clusterId: string, version: number): Promise<ConfigBundle | null> =>
  scope.db.configBundle.findFirst({ where: { clusterId, version }, select: bundleMetadata })

/** GetLatestBundle: the newest version's metadata; null when none was published. */
export const getLatestConfigBundle = (scope: Scope, clusterId: string): Promise<ConfigBundle | null> =>
  scope.db.configBundle.findFirst({ where: { clusterId }, orderBy: { version: 'desc' }, select: bundleMetadata })

/** The newest version's metadata of each of many clusters, in one look-up. */
export async function getLatestConfigBundles(
  scope: Scope,
  clusterIds: readonly string[],
): Promise<Map<string, ConfigBundle>> {
  const window = { after: null, before: null, limit: 1, inverted: false }
  const pages = await readPages(scope, listConfigBundles(), clusterIds, { fields: Object.keys(bundleMetadata), window })
  // The rows have all the metadata columns, which is what a ConfigBundle is.
  const newest = [...pages].flatMap(([id, [row]]) => (row ? [[id, row as unknown as ConfigBundle] as const] : []))
  return new Map(newest)
}

/** GetLatestBundleVersion: the newest version's number and nothing else; null when none was published. */
export async function getLatestConfigBundleVersion(scope: Scope, clusterId: string): Promise<number | null> {
  const bundle = await scope.db.configBundle.findFirst({
    where: { clusterId },
    orderBy: { version: 'desc' },
    select: { version: true },
  })
  return bundle?.version ?? null
}

/** GetBundle, with its archive: one version, for a download; null when it does not exist or is not in the scope. */
export const getConfigBundleArchive = (scope: Scope, clusterId: string, version: number) =>
  scope.db.configBundle.findFirst({ where: { clusterId, version }, select: { data: true } })

export interface NewConfigBundle {
  readonly clusterId: string
  /** tar.gz, at most 10 MiB. */
  readonly archive: ArchiveSource
  readonly message?: string | undefined
}

/** An empty message says as much as none. */
const rules = z.object({ message: messageRule.transform((text) => (text === '' ? undefined : text)).optional() })

/**
 * CreateBundle: publishes an uploaded archive as the cluster's next version. The archive is inspected first, while
 * nothing is locked; version and row commit together.
 * @param author the node that uploads, or null; its id is kept, and null after it was deleted
 * @throws ValidationError and LimitError that name file and reason, NotFoundError
 */
export async function createConfigBundle(
  scope: Scope,
  author: { readonly nodeId: string | null; readonly name: string },
  { clusterId, archive, message }: NewConfigBundle,
): Promise<ConfigBundle> {
  const fields = check(rules, { message })
  if (!(await scope.db.cluster.findUnique({ where: { id: clusterId }, select: { id: true } }))) {
    throw new NotFoundError('Cluster')
  }
  const { data, sha256, size } = await inspectBundle(archive)
  return changeCluster(scope, clusterId, fields.message ?? 'uploaded', ({ tx, cluster }) =>
    tx.configBundle.create({
      data: {
        version: cluster.configVersion,
        tenantId: cluster.tenantId,
        clusterId,
        data: Uint8Array.from(data),
        sha256,
        size,
        createdById: author.nodeId,
        message: `${fields.message ?? 'uploaded'} (${author.name})`,
      },
      select: bundleMetadata,
    }),
  )
}

/**
 * DeleteBundle: removes one version; its number is never given again.
 * @throws NotFoundError
 */
export async function deleteConfigBundle(scope: Scope, clusterId: string, version: number): Promise<ConfigBundle> {
  const bundle = await getConfigBundle(scope, clusterId, version)
  if (!bundle) throw new NotFoundError('ConfigBundle')
  try {
    const { tenantId } = bundle
    const where = { tenantId_clusterId_version: { tenantId, clusterId, version } }
    return await scope.db.configBundle.delete({ where, select: bundleMetadata })
  } catch (error) {
    if (refusal(error)?.kind === 'missing') throw new NotFoundError('ConfigBundle')
    throw error
  }
}

const keepRule = z.object({
  keep: z.int().min(1, 'must be at least 1: the newest version is always kept').max(10_000, 'must be at most 10000'),
})

/**
 * DeleteOldBundles: removes all but the newest `keep` versions of a cluster; returns how many went.
 * @throws ValidationError, NotFoundError
 */
export async function deleteOldConfigBundles(
  scope: Scope,
  clusterId: string,
  input: { readonly keep: number },
): Promise<number> {
  const { keep } = check(keepRule, input)
  if (!(await scope.db.cluster.findUnique({ where: { id: clusterId }, select: { id: true } }))) {
    throw new NotFoundError('Cluster')
  }
  const [newestGone] = await scope.db.configBundle.findMany({
    where: { clusterId },
    orderBy: { version: 'desc' },
    skip: keep,
    take: 1,
    select: { version: true },
  })
  if (!newestGone) return 0
  const { count } = await scope.db.configBundle.deleteMany({
    where: { clusterId, version: { lte: newestGone.version } },
  })
  return count
}
