import { rm } from 'node:fs/promises'

import { writeWhole } from '../base/files.ts'
import type { ClusterFolder } from './enrollment-state.ts'
import { RefusedError, sayError, UnauthenticatedError } from './errors.ts'

const file = 'refused.txt'

/** Why the control plane refuses this machine, in its own words: the node is blocked, say. Null when it does not. */
export const readRefusal = async (folder: ClusterFolder): Promise<string | null> =>
  (await folder.read(file))?.trim() ?? null

/** Keeps the refusal for `agent status`, until the control plane takes the machine's requests again. */
export class Refusal {
  readonly #folder: ClusterFolder
  /** What is on the disk; undefined before the first look. */
  #kept: string | null | undefined

  constructor(folder: ClusterFolder) {
    this.#folder = folder
  }

  /** Call it when a check for news failed. A control plane that cannot be reached says nothing about a refusal. */
  async after(error: unknown): Promise<void> {
    if (error instanceof RefusedError || error instanceof UnauthenticatedError) await this.#keep(sayError(error))
  }

  /** Call it when a check for news succeeded. */
  async isOver(): Promise<void> {
    await this.#keep(null)
  }

  async #keep(words: string | null): Promise<void> {
    if (words === this.#kept) return
    if (words === null) await rm(this.#folder.file(file), { force: true })
    else await writeWhole(this.#folder.file(file), `${words}\n`)
    this.#kept = words
  }
}
