import type { Scope } from '../../auth/scope.ts'
import type { Enqueue } from '../../base/limits/fair-queue.ts'
import { WeightedCache } from '../../base/limits/weighted-cache.ts'
import { manifestFile, signatureFile } from '../../nebula/bundle/manifest.ts'
import { BundleComparison, type Archives } from './read/comparison.ts'
import { fileDiffs, maxDiffedFiles, type FileChangeAt, type FileDiff } from './read/file-diff.ts'
import { nodeCertificatePath, nodeConfigPath } from './compile/render.ts'
import { getConfigBundleArchives, getConfigBundles } from './config-bundles.ts'

/** The differences between two published versions. The manifest is left out, since it always differs. */
export interface BundleDiff {
  readonly fileCount: number
  /** The first of the changed files, by path; at most maxDiffedFiles. */
  readonly files: (first: number) => FileDiff[]
}

interface Versions {
  readonly clusterId: string
  readonly against: number
  readonly version: number
}

interface Dependencies {
  readonly onlyNode: string | null
  readonly enqueue: Enqueue
}

/** The cache's size in bytes. */
const budget = 16 * 1024 * 1024

/**
 * The key is the cluster, both versions and the one visible node. Access to both versions is checked before each use.
 */
const comparisons = new WeightedCache<BundleComparison>(budget)

/**
 * Compares the archives of two versions.
 * @param dependencies.onlyNode the one node whose files are shown in addition to the shared ones; null for all
 * @param dependencies.enqueue queues a reading of archives, so that few of them are in memory at once
 * @returns null when one of them does not exist or is not in the scope
 * @throws Error when a stored archive is damaged
 */
export async function diffConfigBundles(
  scope: Scope,
  versions: Versions,
  { onlyNode, enqueue }: Dependencies,
): Promise<BundleDiff | null> {
  const { clusterId, against, version } = versions
  const stored = await getConfigBundles(scope, clusterId, [against, version])
  const [before, after] = [stored.get(against), stored.get(version)]
  if (!before || !after) return null
  if (against === version) return { fileCount: 0, files: () => [] }
  const key = [clusterId, before.version, before.sha256, after.version, after.sha256, onlyNode ?? ''].join('/')
  const comparison = comparisons.get(key) ?? (await enqueue((signal) => compare(key, signal)))
  if (!comparison) return null
  return {
    fileCount: comparison.changes.length,
    files: (first) => {
      const wanted = comparison.changes.slice(0, Math.min(first, maxDiffedFiles))
      return fileDiffs(wanted, () => linesOf(comparison, wanted))
    },
  }

  async function compare(key: string, signal: AbortSignal): Promise<BundleComparison | null> {
    // An earlier job of the queue may have made the same comparison.
    const known = comparisons.get(key)
    if (known) return known
    const archives = await archivesOf(scope, versions)
    if (!archives) return null
    const made = await BundleComparison.of(archives, shownTo(onlyNode), signal)
    comparisons.set(key, made, made.weight)
    return made
  }

  async function linesOf(of: BundleComparison, wanted: readonly FileChangeAt[]) {
    if (wanted.some(({ path }) => of.diffOf(path) === undefined)) {
      await enqueue(async (signal) => {
        const archives = await archivesOf(scope, versions)
        // A version was deleted in the meantime: its content is no longer shown.
        if (!archives) return
        await of.compareLines(archives, wanted, signal)
        comparisons.set(key, of, of.weight)
      })
    }
    return (path: string) => of.diffOf(path) ?? null
  }
}

/** Both archives; null when one of them no longer exists. */
async function archivesOf(scope: Scope, { clusterId, against, version }: Versions): Promise<Archives | null> {
  const archives = await getConfigBundleArchives(scope, clusterId, [against, version])
  const [before, after] = [archives.get(against), archives.get(version)]
  return before && after ? { before, after } : null
}

/** A plain node sees only its own files, as in its slice. */
function shownTo(onlyNode: string | null): (path: string) => boolean {
  const own = onlyNode === null ? [] : [nodeConfigPath(onlyNode), nodeCertificatePath(onlyNode)]
  const isManifest = (path: string) => path === manifestFile || path === signatureFile
  return (path) => !isManifest(path) && (onlyNode === null || !/^(?:nodes|certs)\//i.test(path) || own.includes(path))
}
