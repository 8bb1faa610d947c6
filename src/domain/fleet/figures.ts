import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { inPieces } from '../../base/pieces.ts'
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

/** Clusters whose figures are put together at once: a certificate takes a tenth of a millisecond. */
const clustersAtOnce = 20

/**
 * The figures of several clusters, in the order of the rows, in three statements, which do not block other work.
 * @param rows clusters in the scope; one that is deleted in the meantime has no nodes
 * @param signal fires when the figures are not needed any more
 */
export async function figuresOf(
  scope: Scope,
  rows: readonly FigureRow[],
  signal?: AbortSignal,
  now = new Date(),
): Promise<readonly ClusterFigures[]> {
  const ids = rows.map(({ id }) => id)
  const read = scope.read.long(signal)
  const convergence = await getConvergence({ read }, ids, now)
  const nodes = await read.statusCounts(ids, statusTimes(now))
  const endings = await countEndings(read, ids, now)
  const figures: ClusterFigures[] = []
  for await (const piece of inPieces(rows, clustersAtOnce)) {
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
  read: Scope['read'],
  clusterIds: readonly string[],
  now: Date,
): Promise<Map<string, CertificatesEnding>> {
  const times = [0, 7, 30].map((days) => new Date(now.getTime() + days * day))
  const figures = await read.endings(times, clusterIds)
  return new Map(
    figures.map(({ clusterId, until: [ended = 0, within7 = 0, within30 = 0] }) => [
      clusterId,
      { within7Days: within7 - ended, within30Days: within30 - ended },
    ]),
  )
}
