import { NotFoundError } from '../../base/errors.ts'
import type { Logger } from '../../base/log.ts'
import type { Operator } from '../../auth/scope.ts'
import type { Node } from '../../db/client/types.ts'
import { bySystem } from '../audit/recorded.ts'
import { ClosedKeysError } from '../pki/closed-keys.ts'
import { presenceResolution } from '../presence/presence.ts'
import { idPages, type IdPage } from '../shared/id-pages.ts'
import { removeGone } from './many/lifecycle.ts'

interface Dependencies {
  readonly operator: Operator
  readonly log: Pick<Logger, 'info' | 'warn'>
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/** Nodes that are read at once; at most as many are removed by one transaction. */
const chunk = 200

/**
 * How much later than its time a node is removed, in milliseconds: that it was seen is written once in a resolution, and
 * streams notice their nodes about twice a minute.
 */
const margin = 2 * presenceResolution

/**
 * While the server was down, nobody could be seen. For this time after its start, in milliseconds, a node that was not
 * seen since is not removed: agents come back within it.
 */
const welcome = 10 * 60_000

const columns = { id: true, clusterId: true, lastSeenAt: true, createdAt: true, ephemeralSeconds: true } as const
type Ephemeral = Pick<Node, keyof typeof columns>

/** Removes the nodes that stay for a time only (`nodes.ephemeral_seconds`) once they were not seen for that time. */
export class EphemeralNodes {
  readonly #operator: Operator
  readonly #log: Dependencies['log']
  readonly #now: () => number
  readonly #startedAt: number

  constructor({ operator, log, now = Date.now }: Dependencies) {
    this.#operator = operator
    this.#log = log
    this.#now = now
    this.#startedAt = now()
  }

  /**
   * The master's sweep: removes nodes as DeleteNodes does, their certificates revoked, with one version for the nodes of
   * a cluster that are found together. A cluster whose keys do not open is left as it is: nothing could be published.
   */
  async *removeUnseen(): AsyncGenerator<void, void> {
    const read = ({ after, rest }: IdPage) =>
      this.#operator.db.node.findMany({
        where: { id: after, ephemeralSeconds: { not: null } },
        select: columns,
        ...rest,
      })
    for await (const page of idPages(chunk, read)) {
      const gone = new Map<string, string[]>()
      for (const node of page) {
        if (!this.#isGone(node)) continue
        const ids = gone.get(node.clusterId) ?? []
        gone.set(node.clusterId, [...ids, node.id])
      }
      for (const [clusterId, nodeIds] of gone) {
        await this.#remove(clusterId, nodeIds)
        yield
      }
      yield
    }
  }

  /** A node that was never seen counts from its creation. */
  #isGone({ lastSeenAt, createdAt, ephemeralSeconds }: Ephemeral): boolean {
    if (ephemeralSeconds === null) return false
    const stay = ephemeralSeconds * 1000
    const end = Math.max((lastSeenAt ?? createdAt).getTime() + stay, this.#startedAt + Math.min(stay, welcome))
    return this.#now() > end + margin
  }

  async #remove(clusterId: string, nodeIds: readonly string[]): Promise<void> {
    try {
      const scope = bySystem(this.#operator, 'node.ephemeral.remove')
      const nodes = await removeGone(scope, clusterId, nodeIds, (node) => this.#isGone(node))
      if (nodes > 0) this.#log.info({ clusterId, nodes }, 'ephemeral nodes were removed')
    } catch (error) {
      if (error instanceof NotFoundError) return
      if (!(error instanceof ClosedKeysError)) throw error
      this.#log.warn({ clusterId }, 'ephemeral nodes stay: the keys of their cluster do not open')
    }
  }
}
