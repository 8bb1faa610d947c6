import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

import { changesBetween, compareLines, MAX_TEXT, type FileChangeAt } from './file-diff.ts'
import { readBundle } from './read.ts'

/** The archives of two versions. */
export interface Archives {
  readonly before: Uint8Array
  readonly after: Uint8Array
}

/** Texts that are in memory for one answer, in bytes. */
const MAX_TEXTS = 16 * MAX_TEXT

/** What lies between two archives, as far as somebody asked for it; it stays true, since versions never change. */
export class BundleComparison {
  readonly changes: readonly FileChangeAt[]
  /** By path; null where there is none to show. */
  readonly #diffs = new Map<string, string | null>()

  private constructor(changes: readonly FileChangeAt[]) {
    this.changes = changes
  }

  /**
   * Finds the files that differ. Each archive is read once, a file at a time.
   * @param isShown which files are looked at
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

  /** Bytes that it takes, about. */
  get weight(): number {
    let weight = 1000
    for (const { path } of this.changes) weight += 2 * path.length + 100
    for (const text of this.#diffs.values()) weight += 2 * (text?.length ?? 0)
    return weight
  }

  /** The unified diff of a file; null where there is none, undefined where it was not looked for yet. */
  diffOf(path: string): string | null | undefined {
    return this.#diffs.get(path)
  }

  /**
   * Compares the lines of those of the changed files that were not compared yet, within a second.
   * @throws what `signal` was aborted with
   */
  async compareLines(archives: Archives, wanted: readonly FileChangeAt[], signal: AbortSignal): Promise<void> {
    const paths = new Set(wanted.map(({ path }) => path).filter((path) => !this.#diffs.has(path)))
    if (paths.size === 0) return
    const left = { bytes: MAX_TEXTS }
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
  /** What all texts together may still have. */
  readonly left: { bytes: number }
  readonly signal: AbortSignal
}

/** Texts by path; without what is no text or too large. */
async function readTexts(archive: Uint8Array, { paths, left, signal }: Reading): Promise<ReadonlyMap<string, string>> {
  const texts = new Map<string, string>()
  for await (const { path, content } of readBundle(archive, (name) => paths.has(name), signal)) {
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
