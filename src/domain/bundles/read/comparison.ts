import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

import { changesBetween, compareLines, maxDiffedText, type FileChangeAt } from './file-diff.ts'
import { readBundle } from './read.ts'

/** The archives of two versions. */
export interface Archives {
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/** Bytes of text that one answer may hold in memory. */
const maxTexts = 16 * maxDiffedText

/**
 * The differences between two archives, as far as they were requested. They stay valid, since versions never change.
 */
export class BundleComparison {
  readonly changes: readonly FileChangeAt[]
  /** By path; null for a file without a diff to show. */
  readonly #diffs = new Map<string, string | null>()

  private constructor(changes: readonly FileChangeAt[]) {
    this.changes = changes
  }

  /**
   * Finds the files that differ. Each archive is read once, a file at a time.
   * @param isShown which files are compared
   * @throws what `signal` was aborted with
   */
  static async of(
    { before, after }: Archives,
    isShown: (path: string) => boolean,
    signal: AbortSignal,
  ): Promise<BundleComparison> {
    const old = await hashFiles(before, isShown, signal)
    return new BundleComparison(changesBetween(old, await hashFiles(after, isShown, signal)))
  }

  /** The approximate size in bytes. */
  get weight(): number {
    let weight = 1000
    for (const { path } of this.changes) weight += 2 * path.length + 100
    for (const text of this.#diffs.values()) weight += 2 * (text?.length ?? 0)
    return weight
  }

  /** The unified diff of a file; null when there is none to show, undefined when it was not computed yet. */
  diffOf(path: string): string | null | undefined {
    return this.#diffs.get(path)
  }

  /**
   * Compares the lines of the wanted files that were not compared yet, within a second.
   * @throws what `signal` was aborted with
   */
  async compareLines(archives: Archives, wanted: readonly FileChangeAt[], signal: AbortSignal): Promise<void> {
    const paths = new Set(wanted.map(({ path }) => path).filter((path) => !this.#diffs.has(path)))
    if (paths.size === 0) return
    const left = { bytes: maxTexts }
    const olds = await readTexts(archives.before, { paths, left, signal })
    const news = await readTexts(archives.after, { paths, left, signal })
    const sidesOf = ({ path, change }: FileChangeAt) => {
      const before = change === 'added' ? null : olds.get(path)
      const after = change === 'removed' ? null : news.get(path)
      return before === undefined || after === undefined ? null : { before, after }
    }
    const added = wanted.filter(({ path }) => paths.has(path))
    for (const [path, diff] of await compareLines(added, sidesOf, signal)) this.#diffs.set(path, diff)
  }
}

async function hashFiles(
  archive: Uint8Array,
  isShown: (path: string) => boolean,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  for await (const { path, content } of readBundle(archive, isShown, signal)) {
    hashes.set(path, createHash('sha256').update(content).digest('base64'))
  }
  return hashes
}

interface Reading {
  readonly paths: ReadonlySet<string>
  /** The remaining budget for all texts together. */
  readonly left: { bytes: number }
  readonly signal: AbortSignal
}

/** Texts by path, without files that are not text or too large. */
async function readTexts(archive: Uint8Array, { paths, left, signal }: Reading): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for await (const { path, content } of readBundle(archive, (name) => paths.has(name), signal)) {
    if (content.length > Math.min(maxDiffedText, left.bytes)) continue
    const text = asText(content)
    if (text === null) continue
    left.bytes -= content.length
    texts.set(path, text)
  }
  return texts
}

/** Null for content that is not UTF-8, or holds a zero byte. */
function asText(content: Uint8Array): string | null {
  if (!isUtf8(content) || content.includes(0)) return null
  return Buffer.from(content).toString()
}
