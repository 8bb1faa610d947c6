import { setImmediate } from 'node:timers/promises'

import { createTwoFilesPatch } from 'diff'

export type FileChange = 'added' | 'changed' | 'removed'

/** A file that differs between two states. */
export interface FileDiff {
  readonly path: string
  readonly change: FileChange
  /** The unified diff, made when it is asked for; null when the file is no text, or when it would take too long. */
  readonly diff: () => Promise<string | null>
}

/** What a file was and is; null for a side that does not have it. */
export interface Sides {
  readonly before: string | null
  readonly after: string | null
}

/** Files that one answer shows at most. */
export const MAX_FILES = 200
/** Bytes of a text that is compared. */
export const MAX_TEXT = 1024 * 1024

/** Lines that may differ in one file; the comparison's time grows with the square of them. */
const MAX_EDITS = 1000
/** Milliseconds that comparing one file may take, and all files of one answer. */
const FILE_TIME = 30
const ANSWER_TIME = 1000

/** Compares the files of one answer, one after the other, with a turn of the event loop between two. */
export class Comparisons {
  #left = ANSWER_TIME
  #turn: Promise<unknown> = Promise.resolve()

  /** The unified diff of one file; null when it takes too long. */
  unified(path: string, sides: Sides): Promise<string | null> {
    const compare = async () => {
      await setImmediate()
      if (this.#left <= 0) return null
      const start = performance.now()
      try {
        return unified(path, sides)
      } finally {
        this.#left -= performance.now() - start
      }
    }
    const mine = this.#turn.then(compare)
    this.#turn = mine
    return mine
  }
}

function unified(path: string, { before, after }: Sides): string | null {
  const [from, to] = [before === null ? '/dev/null' : `a/${path}`, after === null ? '/dev/null' : `b/${path}`]
  const bounds = { context: 3, timeout: FILE_TIME, maxEditLength: MAX_EDITS }
  const options = {
    ...bounds,
    headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
  }
  return createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, options) ?? null
}

/** What happened to each path between two states, by what tells contents apart (a hash, or the text), sorted by path. */
export function changesBetween(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
): { readonly path: string; readonly change: FileChange }[] {
  const changes: { path: string; change: FileChange }[] = []
  for (const [path, content] of after) {
    const old = before.get(path)
    if (old === content) continue
    changes.push({ path, change: old === undefined ? 'added' : 'changed' })
  }
  for (const path of before.keys()) if (!after.has(path)) changes.push({ path, change: 'removed' })
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}
