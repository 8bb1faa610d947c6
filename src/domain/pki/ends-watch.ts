import type { Operator } from '../../auth/scope.ts'
import type { Logger } from '../../base/log.ts'
import type { Cluster } from '../../db/client/types.ts'
import { countEnding, type Ending } from '../clusters/convergence.ts'
import { automaticRotationAt, beginDueCaRotation } from './ca-rotation-due.ts'
import { caDetails } from './cluster-ca.ts'
import { areKeysOpen, sealedKeys } from './closed-keys.ts'
import { day, lifetimeDaysOf, warningsOf, type Validity } from './ends.ts'
import { type IdPage, idPages } from '../shared/id-pages.ts'
import type { Vault } from './vault.ts'

interface Means {
  readonly operator: Operator
  readonly vault: Vault
  readonly log: Pick<Logger, 'info' | 'warn' | 'error'>
  /** The time, for tests; milliseconds since 1970. */
  readonly now?: () => number
}

/** Clusters that are read at once: parsing their CAs takes about ten milliseconds. */
const chunk = 50

/** The maximum number of clusters that one check logs; the remaining ones are only counted. */
const mostTold = 100

/** The maximum number of node names per cluster. */
const mostNamed = 5

const columns = {
  ...sealedKeys,
  tenantId: true,
  name: true,
  pkiCaCert: true,
  caRotationPhase: true,
  caRotationAutomatic: true,
} as const
type Watched = Pick<Cluster, keyof typeof columns>

/** The last logged state of a cluster: the same state is not logged again. */
interface Told {
  /**
   * How near the CA's end is: the shortest warning that was reached, in days; 0 when it has expired, null before any.
   */
  readonly ca: number | null
  /** How many certificates have expired, and how many expire within each of the warning times. */
  readonly nodes: readonly number[]
}

const nothing: Told = { ca: null, nodes: [] }

/**
 * The master's check for expiring certificates. It begins the rotations that are due, and logs which certificates and
 * CAs expire soon or have expired, once for each warning time of `ends.ts`. A new master logs them once more.
 */
export class EndsWatch {
  readonly #means: Means
  readonly #now: () => number
  #told = new Map<string, Told>()

  constructor(means: Means) {
    this.#means = means
    this.#now = means.now ?? Date.now
  }

  /** The sweep: checks all clusters once. */
  async *look(): AsyncGenerator<void, void> {
    const now = new Date(this.#now())
    const told = new Map<string, Told>()
    const news: (() => void | Promise<void>)[] = []
    const { db } = this.#means.operator
    const read = ({ after, rest }: IdPage) => db.cluster.findMany({ where: { id: after }, select: columns, ...rest })
    for await (const page of idPages(chunk, read)) {
      const ids = page.map(({ id }) => id)
      const ending = await countEnding(this.#means.operator, ids, now)
      for (const cluster of page) {
        const rotates = await this.#beginDue(cluster, now)
        const before = this.#told.get(cluster.id) ?? nothing
        const ca = cluster.pkiCaCert === null ? null : caDetails(cluster.pkiCaCert)
        const present = { ca: ca && stageOf(ca, now), nodes: ending.get(cluster.id)?.counts ?? [] }
        if (present.ca !== null || present.nodes.some((count) => count > 0)) told.set(cluster.id, present)
        if (ca !== null && present.ca !== null && present.ca < (before.ca ?? Infinity)) {
          const stage = present.ca
          news.push(() => this.#tellOfCa(cluster, { stage, notAfter: ca.notAfter, rotates }))
        }
        if (present.nodes.some((count, index) => count > (before.nodes[index] ?? 0))) {
          news.push(() => this.#tellOfNodes(cluster, ending.get(cluster.id), now))
        }
      }
      yield
    }
    this.#told = told
    for (const tell of news.slice(0, mostTold)) {
      await tell()
      yield
    }
    const more = news.length - mostTold
    if (more > 0) this.#means.log.warn({ more }, 'certificates end in more clusters: see Cluster.convergence')
  }

  /** @returns whether a rotation runs now */
  async #beginDue(cluster: Watched, now: Date): Promise<boolean> {
    const { operator, vault, log } = this.#means
    const at = automaticRotationAt(cluster)
    if (at === null || at > now || !areKeysOpen(vault, cluster)) return cluster.caRotationPhase !== null
    try {
      const begun = await beginDueCaRotation(operator, vault, cluster.id, now)
      if (begun)
        log.info({ clusterId: cluster.id }, `the rotation of the CA of cluster "${cluster.name}" has begun by itself`)
      return begun
    } catch (err) {
      // The other clusters must not wait for it; the next check tries again.
      log.error({ err, clusterId: cluster.id }, 'the rotation of a CA could not begin by itself')
      return false
    }
  }

  #tellOfCa(cluster: Watched, { stage, notAfter, rotates }: { stage: number; notAfter: Date; rotates: boolean }): void {
    const { vault, log } = this.#means
    const next = rotates
      ? 'it is being replaced: Cluster.caRotation says what that waits for'
      : areKeysOpen(vault, cluster)
        ? 'replace it (rotateClusterCa)'
        : 'its key does not open under this server’s secret, so that it cannot be replaced by itself'
    const end = notAfter.toISOString()
    const what = { clusterId: cluster.id, caExpiresAt: end }
    const when = stage === 0 ? `ended at ${end}: its nodes let nobody in` : `ends at ${end}, within ${inWords(stage)}`
    log[stage === 0 ? 'error' : 'warn'](what, `the CA of cluster "${cluster.name}" ${when}; ${next}`)
  }

  async #tellOfNodes({ id, tenantId, name }: Watched, ending: Ending | undefined, now: Date): Promise<void> {
    const { operator, log } = this.#means
    const [ended = 0, soon = 0, ...sooner] = ending?.counts ?? []
    const [first, ...nearer] = warningsOf(ending?.lifetimeDays ?? 1)
    const nearest = sooner.findLastIndex((count) => count > 0)
    const ofThem = nearest < 0 ? '' : `, ${sooner[nearest] ?? 0} of them within ${inWords(nearer[nearest] ?? first)}`
    const until = new Date(now.getTime() + first * day)
    const nodes = await operator.db.node.findMany({
      where: { tenantId, clusterId: id, certificate: { not: null }, certificateExpiresAt: { lte: until } },
      orderBy: { certificateExpiresAt: 'asc' },
      take: mostNamed,
      select: { name: true },
    })
    const what = { clusterId: id, ended, soon, nodes: nodes.map((node) => node.name) }
    const words = `certificates of nodes of cluster "${name}": ${ended} have ended, ${soon} were not renewed in time and end within ${inWords(first)}${ofThem}`
    log[ended > 0 ? 'error' : 'warn'](what, words)
  }
}

/** The shortest warning time that a CA has reached, in days; 0 when it has expired, null before any. */
function stageOf(ca: Validity, now: Date): number | null {
  const left = ca.notAfter.getTime() - now.getTime()
  if (left <= 0) return 0
  return warningsOf(lifetimeDaysOf(ca)).findLast((days) => left <= days * day) ?? null
}

function inWords(days: number): string {
  if (days < 1) return `${days * 24} hours`
  return days === 1 ? 'a day' : `${days} days`
}
