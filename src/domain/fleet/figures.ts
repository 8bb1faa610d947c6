import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { breaks, piecesOf } from '../../base/pieces.ts'
import { noNodes, type StatusCounts } from '../../db/reads/status-counts.ts'
import { getConvergence, noConvergence, type Convergence } from '../clusters/convergence.ts'
import { statusTimes } from '../nodes/status.ts'
import { phaseOf, type CaRotationPhase } from '../pki/ca-rotation.ts'
import { caDetails } from '../pki/cluster-ca.ts'
import { day, lifetimeDaysOf, statusAt, type CertificateStatus } from '../pki/ends.ts'

/** Numbers of certificates that are valid now. */
export interface CertificatesEnding {
  readonly within7Days: number
  /** Including those of `within7Days`. */
  readonly within30Days: number
}

/** How one cluster is. */
export interface ClusterFigures {
  readonly clusterId: string
  readonly tenantId: string
  readonly name: string
  /** All its nodes, by status. */
  readonly nodes: StatusCounts
  readonly convergence: Convergence
  readonly certificatesEnding: CertificatesEnding
  /** The end of the CA that signs; null without a CA. */
  readonly caExpiresAt: Date | null
  /** How close that CA is to its end; null without a CA. */
  readonly caStatus: CertificateStatus | null
  /** Null when no rotation of the CA is in progress. */
  readonly caRotationPhase: CaRotationPhase | null
  /** How many versions were wanted since the newest published one. */
  readonly unpublishedVersions: number
  /** Since when a change waits for its bundle; null when nothing waits. */
  readonly unpublishedSince: Date | null
}

/** The columns of a cluster that its figures are made from. */
export const figureColumns = [
  'id',
  'tenantId',
  'name',
  'configVersion',
  'publishedConfigVersion',
  'unpublishedSince',
  'pkiCaCert',
  'caRotationPhase',
] as const satisfies readonly (keyof Cluster)[]
export type FigureRow = Pick<Cluster, (typeof figureColumns)[number]>

/** Clusters that are counted in one statement: on SQLite, each statement holds the event loop. */
const clustersAtOnce = 10

/**
 * The figures of several clusters, in the order of the rows; three statements for ten clusters. Between these, the
 * event loop serves others.
 * @param rows clusters in the scope; one that is deleted in the meantime has no nodes
 */
export async function figuresOf(
  scope: Scope,
  rows: readonly FigureRow[],
  now = new Date(),
): Promise<readonly ClusterFigures[]> {
  const figures: ClusterFigures[] = []
  const pause = breaks()
  for (const piece of piecesOf(rows, clustersAtOnce)) {
    const ids = piece.map(({ id }) => id)
    const convergence = await getConvergence(scope, ids, now)
    await pause()
    const nodes = await scope.read.statusCounts(ids, statusTimes(now))
    await pause()
    const endings = await countEndings(scope, ids, now)
    for (const row of piece) {
      figures.push({
        ...ofRow(row, now),
        nodes: nodes.get(row.id) ?? noNodes,
        convergence: convergence.get(row.id) ?? noConvergence(row.id),
        certificatesEnding: endings.get(row.id) ?? noneEnding,
      })
    }
  }
  return figures
}

/** The figures that need no other rows. */
function ofRow(row: FigureRow, now: Date): Omit<ClusterFigures, 'nodes' | 'convergence' | 'certificatesEnding'> {
  const { id: clusterId, tenantId, name, configVersion, publishedConfigVersion, pkiCaCert } = row
  const ca = pkiCaCert === null ? null : caDetails(pkiCaCert)
  return {
    ...{ clusterId, tenantId, name },
    caExpiresAt: ca?.notAfter ?? null,
    caStatus: ca && statusAt(ca.notAfter, lifetimeDaysOf(ca), now),
    caRotationPhase: phaseOf(row),
    unpublishedVersions: Math.max(0, configVersion - publishedConfigVersion),
    unpublishedSince: configVersion > publishedConfigVersion ? row.unpublishedSince : null,
  }
}

const noneEnding: CertificatesEnding = { within7Days: 0, within30Days: 0 }

async function countEndings(
  scope: Scope,
  clusterIds: readonly string[],
  now: Date,
): Promise<Map<string, CertificatesEnding>> {
  const times = [0, 7, 30].map((days) => new Date(now.getTime() + days * day))
  const figures = await scope.read.endings(times, clusterIds)
  return new Map(
    figures.map(({ clusterId, until: [ended = 0, within7 = 0, within30 = 0] }) => [
      clusterId,
      { within7Days: within7 - ended, within30Days: within30 - ended },
    ]),
  )
}
