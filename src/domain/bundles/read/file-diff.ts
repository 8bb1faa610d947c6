import { createTwoFilesPatch } from 'diff'

import { breaks } from '../../../base/pieces.ts'

export type FileChange = 'added' | 'changed' | 'removed'

/** A file that differs between two states. */
export interface FileChangeAt {
  readonly path: string
  readonly change: FileChange
}

/** A file that differs, with its diff. */
export interface FileDiff extends FileChangeAt {
  /** The unified diff, computed on request; null when the file is not text, or when it would take too long. */
  readonly diff: () => Promise<string | null>
}

/** A file's content before and after; null on a side that does not have it. */
export interface Sides {
  readonly before: string | null
  readonly after: string | null
}

/** The maximum number of files in one answer. */
export const maxDiffedFiles = 200
/** The maximum size of a compared text in bytes. */
export const maxDiffedText = 1024 * 1024

/** Lines that may differ in one file; the time of the comparison grows with their square. */
const maxEdits = 1000
/** Milliseconds that comparing one file may take, and all files of one answer. */
const fileTime = 30
const answerTime = 1000

/**
 * The changed files of an answer. Their lines are compared together, at the first request for a diff.
 * @param lines compares the files; its result gives the unified diff of a path, null when there is none to show
 */
export function fileDiffs(
  changes: readonly FileChangeAt[],
  lines: () => Promise<(path: string) => string | null>,
): FileDiff[] {
  let comparing: ReturnType<typeof lines> | null = null
  return changes.map(({ path, change }) => ({
    path,
    change,
    diff: async () => (await (comparing ??= lines()))(path),
  }))
}

/**
 * Compares files one after another, with breaks between them.
 * @param sidesOf the content before and after; null when it is not shown
 * @returns unified diffs by path: null when there is none to show, or when it takes too long; without the files that
 * exceed an answer's time
 * @throws the signal's abort reason
 */
export async function compareLines(
  changes: readonly FileChangeAt[],
  sidesOf: (change: FileChangeAt) => Sides | null,
  signal: AbortSignal,
): Promise<Map<string, string | null>> {
  const diffs = new Map<string, string | null>()
  let left = answerTime
  const pause = breaks()
  for (const change of changes) {
    if (left <= 0) break
    await pause()
    signal.throwIfAborted()
    const start = performance.now()
    const sides = sidesOf(change)
    diffs.set(change.path, sides && unified(change.path, sides))
    left -= performance.now() - start
  }
  return diffs
}

function unified(path: string, { before, after }: Sides): string | null {
  const [from, to] = [before === null ? '/dev/null' : `a/${path}`, after === null ? '/dev/null' : `b/${path}`]
  const bounds = { context: 3, timeout: fileTime, maxEditLength: maxEdits }
  const options = {
    ...bounds,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  }
  return createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, options) ?? null
}

/** How each path changed between two states, sorted by path. A hash, or the text itself, identifies a content. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): FileChangeAt[] {
  const changes: FileChangeAt[] = []
  for (const [path, content] of after) {
    const old = before.get(path)
    if (old === content) continue
    changes.push({ path, change: old === undefined ? 'added' : 'changed' })
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ path, change: 'removed' })
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}
