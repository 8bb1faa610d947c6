import type { Scope } from '../../auth/scope.ts'
import type { Cluster, Prisma, Tx } from '../../db/client/types.ts'
import { parseCaCertificate, parseCertificates } from '../../pki/certificate.ts'

type Reader = Pick<Tx, 'node'>
type Rotating = Pick<Cluster, 'id' | 'caRotationPhase' | 'caRotationVersion' | 'pkiCaCert'>

/** Nodes that were not seen for this long do not delay a rotation: they receive everything when they come back. */
const seenWithin = 24 * 3600_000

/** The number of certificates that are read at once. */
const chunk = 200

/** The nodes that delay a rotation's next step. */
export interface Waiting {
  readonly count: number
  /** By name, at most 50. */
  readonly names: readonly string[]
}

/**
 * The nodes that a rotation waits for: seen in the last day, with a certificate, and not yet running the version of the
 * phase. When all of them run it: those without a certificate of the CA that signs now.
 */
async function nodesToWaitFor(db: Reader, cluster: Rotating): Promise<Waiting> {
  const where = behind(cluster)
  const count = await db.node.count({ where })
  if (count > 0) {
    const nodes = await db.node.findMany({ where, orderBy: { name: 'asc' }, take: 50, select: { name: true } })
    return { count, names: nodes.map(({ name }) => name) }
  }
  const names = await signedByOthers(db, cluster)
  return { count: names.length, names: names.slice(0, 50) }
}

/** The same of several clusters, by id. */
export async function nodesToWaitForIn(scope: Scope, ids: readonly string[]): Promise<Map<string, Waiting>> {
  const clusters = await scope.db.cluster.findMany({ where: { id: { in: [...ids] } } })
  const waiting = clusters.map(async (cluster) => [cluster.id, await nodesToWaitFor(scope.db, cluster)] as const)
  return new Map(await Promise.all(waiting))
}

export const waitsForNobody = async (db: Reader, cluster: Rotating): Promise<boolean> =>
  (await nodesToWaitFor(db, cluster)).count === 0

const present = ({ id }: Rotating): Prisma.NodeWhereInput => ({
  clusterId: id,
  certificate: { not: null },
  lastSeenAt: { gte: new Date(Date.now() - seenWithin) },
})

const behind = (cluster: Rotating): Prisma.NodeWhereInput => ({
  ...present(cluster),
  OR: [{ runningConfigVersion: null }, { runningConfigVersion: { lt: cluster.caRotationVersion ?? 0 } }],
})

/** Names of present nodes with a certificate of a CA other than the signing one; only relevant in SIGN_AGAIN. */
async function signedByOthers(db: Reader, cluster: Rotating): Promise<string[]> {
  if (cluster.caRotationPhase !== 'SIGN_AGAIN' || cluster.pkiCaCert === null) return []
  const issuer: string = parseCaCertificate(cluster.pkiCaCert).fingerprint
  const names: string[] = []
  for (let after = ''; ;) {
    const nodes = await db.node.findMany({
      where: { ...present(cluster), name: { gt: after } },
      orderBy: { name: 'asc' },
      take: chunk,
      select: { name: true, certificate: true },
    })
    for (const { name, certificate } of nodes) {
      if (parseCertificates(certificate ?? '').some((one) => one.issuer !== issuer)) names.push(name)
    }
    const last = nodes.at(-1)
    if (!last || nodes.length < chunk) return names
    after = last.name
  }
}
