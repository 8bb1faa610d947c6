import type { Scope } from '../../auth/scope.ts'
import type { News } from './mailbox.ts'

/** Nodes that are read for their streams at a time; above that, the readers must read again. */
const most = 250

type Kind = 'added' | 'changed'

/** Reads the rows of added or changed nodes: those of one tick in one statement, for all streams together. */
export class RowReader {
  readonly #tell: (news: News) => void
  #wanted = new Map<string, Kind>()
  #underWay = new Map<string, Kind>()
  #isRunning = false

  constructor(tell: (news: News) => void) {
    this.#tell = tell
  }

  /** @param scope of any stream of the channel */
  want(scope: Scope, kind: Kind, nodeIds: readonly string[]): void {
    // An added node stays new to a reader that was not told yet, even if it was changed in the meantime.
    for (const id of nodeIds) if (this.#wanted.get(id) !== 'added') this.#wanted.set(id, kind)
    if (this.#isRunning) return
    this.#isRunning = true
    setImmediate(() => void this.#run(scope))
  }

  /** Prevents a removed node from being sent once more from a row that was read before. */
  forget(nodeId: string): void {
    this.#wanted.delete(nodeId)
    this.#underWay.delete(nodeId)
  }

  async #run(scope: Scope): Promise<void> {
    while (this.#wanted.size > 0) {
      this.#underWay = this.#wanted
      this.#wanted = new Map()
      await this.#read(scope)
    }
    this.#isRunning = false
  }

  async #read(scope: Scope): Promise<void> {
    if (this.#underWay.size > most) {
      this.#tell({ kind: 'missed' })
      return
    }
    try {
      const found = await scope.db.node.findMany({ where: { id: { in: [...this.#underWay.keys()] } } })
      const rows = new Map(found.map((node) => [node.id, node]))
      for (const [id, kind] of this.#underWay) {
        const node = rows.get(id)
        if (node) this.#tell({ kind, node })
      }
    } catch {
      // A reader that reads again finds the nodes, or receives the error.
      this.#tell({ kind: 'missed' })
    }
  }
}
