import type { Operator } from '../../auth/scope.ts'
import type { Logger } from '../../base/log.ts'
import { inPieces } from '../../base/pieces.ts'
import type { Cluster } from '../../db/client/types.ts'
import { areKeysOpen, remedy, sealedKeys } from './closed-keys.ts'
import { type IdPage, idPages } from '../shared/id-pages.ts'
import type { Vault } from './vault.ts'

type Sealed = Pick<Cluster, keyof typeof sealedKeys>

/** Clusters that are read at once: some milliseconds of decryption. */
const chunk = 100

/** The maximum number of ids in one log line. */
const mostNamed = 20

interface Means {
  readonly operator: Operator
  readonly vault: Vault
  readonly log: Pick<Logger, 'info' | 'error'>
}

/** The clusters whose keys this process cannot open, as far as it has checked them: each is logged once. */
export class ClosedClusters {
  readonly #means: Means
  /** The keys that did not open, by cluster id: tried again only when they change. */
  readonly #known = new Map<string, string>()

  constructor(means: Means) {
    this.#means = means
  }

  /** Whether a cluster's keys do not open; logged when that is new. */
  isClosed(cluster: Sealed): boolean {
    const wasKnown = this.#known.has(cluster.id)
    const isClosed = this.#judge(cluster)
    if (isClosed && !wasKnown) this.#tell([cluster.id])
    return isClosed
  }

  /** Tries the keys of every cluster, and logs in one line which do not open and what to do. */
  async look(): Promise<void> {
    const { db } = this.#means.operator
    const closed: string[] = []
    const read = ({ after, rest }: IdPage) => db.cluster.findMany({ where: { id: after }, select: sealedKeys, ...rest })
    for await (const page of idPages(chunk, read)) {
      closed.push(...page.filter((cluster) => this.#judge(cluster)).map(({ id }) => id))
    }
    if (closed.length > 0) this.#tell(closed)
  }

  /** Whether one of the known clusters still cannot be signed for; stops at the first one. */
  async areAny(): Promise<boolean> {
    const { db } = this.#means.operator
    for await (const some of inPieces([...this.#known.keys()], chunk)) {
      const found = await db.cluster.findMany({ where: { id: { in: [...some] } }, select: sealedKeys })
      const left = new Set(found.filter((cluster) => this.#judge(cluster)).map(({ id }) => id))
      for (const id of some) if (!left.has(id)) this.#known.delete(id)
      if (left.size > 0) return true
    }
    return false
  }

  #judge(cluster: Sealed): boolean {
    const { vault, log } = this.#means
    const { id, pkiCaKey, bundleSigningKey } = cluster
    const keys = `${pkiCaKey ?? ''} ${bundleSigningKey ?? ''}`
    const known = this.#known.get(id)
    if (known === keys) return true
    if (!areKeysOpen(vault, cluster)) {
      this.#known.set(id, keys)
      return true
    }
    if (this.#known.delete(id)) log.info({ clusterId: id }, 'the cluster can be signed for again')
    return false
  }

  #tell(ids: readonly string[]): void {
    const what = `${ids.length} of the clusters cannot be signed for: their keys do not open under this server's secret, and their changes are refused. ${remedy}`
    this.#means.log.error({ clusters: ids.slice(0, mostNamed), count: ids.length }, what)
  }
}
