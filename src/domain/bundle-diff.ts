import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

import type { Scope } from '../auth/scope.ts'
import { AbandonedError } from '../base/fair-queue.ts'
import { MANIFEST_FILE, SIGNATURE_FILE } from '../nebula/manifest.ts'
import { changesBetween, Comparisons, MAX_FILES, MAX_TEXT, type FileChange, type FileDiff } from './bundle/file-diff.ts'
import { readBundle } from './bundle/read.ts'
import { nodeCertificatePath, nodeConfigPath } from './bundle/render.ts'
import { getConfigBundleArchive } from './config-bundles.ts'

/** What lies between two versions. The manifest and its signature, which follow from the rest, are left out. */
export interface BundleDiff {
  /** How many files differ. */
  readonly fileCount: number
  /** The first of them by path, at most 200. */
  readonly files: (first: number) => Promise<FileDiff[]>
}

/** The two versions; `version` is the newer one as a rule. */
interface Versions {
  readonly clusterId: string
  readonly against: number
  readonly version: number
}

/** Runs work when it is its caller's turn; the signal fires when nobody wants the result any more. */
type InTurn = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>

interface Means {
  readonly onlyNode: string | null
  readonly inTurn: InTurn
}

interface FileChangeAt {
  readonly path: string
  readonly change: FileChange
}

/** Texts that are in memory for one answer, in bytes. */
const MAX_TEXTS = 16 * MAX_TEXT

/**
 * Compares the archives of two versions.
 * @param means.onlyNode the one node whose files are shown beside the shared ones; null for all
 * @param means.inTurn reads archives when it is the caller's turn, so that few of them are in memory
 * @returns null when one of them does not exist or is not in the scope
 * @throws Error when a stored archive is damaged
 */
export async function diffConfigBundles(
  scope: Scope,
  versions: Versions,
  { onlyNode, inTurn }: Means,
): Promise<BundleDiff | null> {
  const isShown = shownTo(onlyNode)
  const hashes = await inTurn(async (signal) => {
    const before = await archiveOf(scope, versions.clusterId, versions.against)
    const after = await archiveOf(scope, versions.clusterId, versions.version)
    return before && after
      ? { before: await hashFiles(before, isShown, signal), after: await hashFiles(after, isShown, signal) }
      : null
  })
  if (hashes === null) return null
  const changes = changesBetween(hashes.before, hashes.after)
  return {
    fileCount: changes.length,
    files: (first) => readChanges(scope, versions, { changes: changes.slice(0, Math.min(first, MAX_FILES)), inTurn }),
  }
}

const archiveOf = async (scope: Scope, clusterId: string, version: number) =>
  (await getConfigBundleArchive(scope, clusterId, version))?.data ?? null

/** A plain node learns of its own files only, as in its slice. */
function shownTo(onlyNode: string | null): (path: string) => boolean {
  const own = onlyNode === null ? [] : [nodeConfigPath(onlyNode), nodeCertificatePath(onlyNode)]
  const isManifest = (path: string) => path === MANIFEST_FILE || path === SIGNATURE_FILE
  return (path) => !isManifest(path) && (onlyNode === null || !/^(?:nodes|certs)\//i.test(path) || own.includes(path))
}

async function hashFiles(
  archive: Uint8Array,
  isShown: (path: string) => boolean,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for await (const { path, content } of readBundle(archive, isShown)) {
    if (signal.aborted) throw new AbandonedError('the client has left')
    hashes.set(path, createHash('sha256').update(content).digest('base64'))
  }
  return hashes
}

/** The changes with their texts; these are read together, and compared when they are asked for. */
async function readChanges(
  scope: Scope,
  { clusterId, against, version }: Versions,
  { changes, inTurn }: { readonly changes: readonly FileChangeAt[]; readonly inTurn: InTurn },
): Promise<FileDiff[]> {
  const wanted = new Set(changes.map(({ path }) => path))
  const comparisons = new Comparisons()
  let texts: Promise<[Texts, Texts]> | null = null
  const read = () =>
    inTurn(async (): Promise<[Texts, Texts]> => {
      const left = { bytes: MAX_TEXTS }
      const before = await readTexts(await archiveOf(scope, clusterId, against), wanted, left)
      return [before, await readTexts(await archiveOf(scope, clusterId, version), wanted, left)]
    })
  return changes.map(({ path, change }) => ({
    path,
    change,
    diff: async () => {
      const [olds, news] = await (texts ??= read())
      const before = change === 'added' ? null : olds.get(path)
      const after = change === 'removed' ? null : news.get(path)
      return before === undefined || after === undefined ? null : comparisons.unified(path, { before, after })
    },
  }))
}

/** By path; without what is no text or too large. */
type Texts = ReadonlyMap<string, string>

async function readTexts(
  archive: Uint8Array | null,
  wanted: ReadonlySet<string>,
  left: { bytes: number },
): Promise<Texts> {
  const texts = new Map<string, string>()
  // Deleted in the meantime: nothing of it is shown any more.
  if (archive === null) return texts
  for await (const { path, content } of readBundle(archive, (name) => wanted.has(name))) {
    if (content.length > Math.min(MAX_TEXT, left.bytes)) continue
    const text = asText(content)
    if (text === null) continue
    left.bytes -= content.length
    texts.set(path, text)
  }
  return texts
}

/** Null for what is not UTF-8, or holds a zero byte. */
function asText(content: Uint8Array): string | null {
  if (!isUtf8(content) || content.includes(0)) return null
  return Buffer.from(content).toString()
}
