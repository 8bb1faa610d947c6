import { breaks } from '../../base/pieces.ts'
import type { Cluster, Prisma, Tx } from '../../db/client/types.ts'
import type { CompileNode } from '../bundles/compile/compile-input.ts'

/** A cluster and its nodes at one version. A blocked node is left out: for the others it is as if it were deleted. */
export interface Snapshot {
  readonly cluster: Cluster
  readonly nodes: readonly CompileNode[]
}

/** A client that can read it: a scope's, or a transaction of it. */
type Reader = Pick<Tx, 'cluster' | 'node'>

const columns = {
  id: true,
  name: true,
  overlayIp: true,
  mtu: true,
  routes: true,
  groups: true,
  isLighthouse: true,
  lighthousePublicIp: true,
  lighthousePort: true,
  isRelay: true,
  publicKey: true,
  certificate: true,
  certificateFingerprint: true,
} as const satisfies Prisma.NodeSelect

/** Nodes that are read at once: some milliseconds of work. */
const chunk = 250

/** How often a snapshot is read without a lock; a cluster that keeps changing needs the locked read after them. */
const tries = 3

/**
 * Reads a consistent snapshot of a cluster with all its nodes, without blocking changes. Every change raises the
 * version, so rows that were read between two reads of the same version belong to it. The last try is a transaction.
 * @returns null when the cluster does not exist or is not in the scope
 */
export async function readSnapshot(
  db: Reader & { $transaction?: <T>(work: (tx: Tx) => Promise<T>) => Promise<T> },
  clusterId: string,
): Promise<Snapshot | null> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const snapshot = await readOnce(db, clusterId)
    if (snapshot === null) return null
    const after = await db.cluster.findUnique({ where: { id: clusterId }, select: { configVersion: true } })
    if (after?.configVersion === snapshot.cluster.configVersion) return snapshot
  }
  // Changes of a cluster lock its row. This does the same with a write that changes nothing.
  return db.$transaction === undefined
    ? readOnce(db, clusterId)
    : db.$transaction(async (tx) => {
        await tx.cluster.updateMany({ where: { id: clusterId }, data: { configVersion: { increment: 0 } } })
        return readOnce(tx, clusterId)
      })
}

/** The same without checks; consistent within a change of the cluster, which holds its lock. */
export async function readOnce(db: Reader, clusterId: string): Promise<Snapshot | null> {
  const cluster = await db.cluster.findUnique({ where: { id: clusterId } })
  if (!cluster) return null
  const nodes: CompileNode[] = []
  const pause = breaks()
  for (;;) {
    const after = nodes.at(-1)?.name
    const rows = await db.node.findMany({
      // Along the unique index (tenant_id, cluster_id, name).
      where: {
        tenantId: cluster.tenantId,
        clusterId,
        blockedAt: null,
        ...(after === undefined ? {} : { name: { gt: after } }),
      },
      orderBy: { name: 'asc' },
      take: chunk,
      select: columns,
    })
    nodes.push(...rows.map(compileNode))
    if (rows.length < chunk) return { cluster, nodes }
    await pause()
  }
}

/**
 * The snapshot after a change of a few nodes; the other nodes come from the previous snapshot. Consistent within the
 * change.
 * @param written ids of the nodes that were created, changed or deleted since
 * @returns null when the cluster does not exist any more
 */
export async function readChanged(
  db: Reader,
  before: Snapshot,
  written: ReadonlySet<string>,
): Promise<Snapshot | null> {
  const { id, tenantId } = before.cluster
  const cluster = await db.cluster.findUnique({ where: { id } })
  if (!cluster) return null
  if (written.size === 0) return { cluster, nodes: before.nodes }
  const nodes = before.nodes.filter((node) => !written.has(node.id))
  const rows = await db.node.findMany({
    where: { id: { in: [...written] }, blockedAt: null },
    select: columns,
    orderBy: { name: 'asc' },
  })
  for (const row of rows) {
    // Asks the database for the place of the name: rendered files follow its order of names.
    const previous = await db.node.findFirst({
      where: { tenantId, clusterId: id, blockedAt: null, name: { lt: row.name } },
      orderBy: { name: 'desc' },
      select: { id: true },
    })
    const place = previous === null ? 0 : nodes.findIndex((node) => node.id === previous.id) + 1
    nodes.splice(place, 0, compileNode(row))
  }
  return { cluster, nodes }
}

type Row = Prisma.NodeGetPayload<{ select: typeof columns }>

/** Only the domain writes the two lists, in this form. */
const compileNode = ({ routes, groups, ...row }: Row): CompileNode => ({
  ...row,
  routes: routes as string[],
  groups: groups as string[],
})
