import type { Operator } from '../../auth/scope.ts'
import type { Cluster, Prisma } from '../../db/client/types.ts'
import type { Vault } from './vault.ts'

/** The number of clusters that were checked, and of keys that were sealed again. */
export interface Resealed {
  readonly clusters: number
  readonly keys: number
}

const columns = ['pkiCaKey', 'pkiOtherCaKey', 'bundleSigningKey'] as const

/**
 * Seals every key again under another secret, all or none. Keys that are already sealed under it stay: an interrupted
 * rotation can be run again.
 * @param vault with the new secret, which also opens keys sealed under the old ones
 * @throws Error with the clusters and keys that no secret opens; then nothing was changed
 */
export const resealAll = (operator: Operator, vault: Vault): Promise<Resealed> =>
  operator.db.$transaction(async (tx) => {
    const select = { id: true, pkiCaKey: true, pkiOtherCaKey: true, bundleSigningKey: true }
    const clusters = await tx.cluster.findMany({ select, orderBy: { id: 'asc' } })
    const closed: string[] = []
    let keys = 0
    for (const cluster of clusters) {
      const data = resealed(vault, cluster, closed)
      keys += Object.keys(data).length
      if (closed.length === 0 && Object.keys(data).length > 0) {
        await tx.cluster.update({ where: { id: cluster.id }, data })
      }
    }
    if (closed.length > 0) {
      throw new ClosedKeysError(
        `Nothing was changed: these keys do not open under the secrets given:\n  ${closed.slice(0, 20).join('\n  ')}` +
          (closed.length > 20 ? `\n  and ${closed.length - 20} more` : ''),
      )
    }
    return { clusters: clusters.length, keys }
  })

/** Sealed keys that no available secret opens. */
class ClosedKeysError extends Error {
  override readonly name = 'ClosedKeysError'
}

type Sealed = Pick<Cluster, 'id' | (typeof columns)[number]>

function resealed(vault: Vault, cluster: Sealed, closed: string[]): Prisma.ClusterUncheckedUpdateInput {
  const data: Prisma.ClusterUncheckedUpdateInput = {}
  for (const column of columns) {
    const sealed = cluster[column]
    if (sealed === null || vault.isSealedByPresent(sealed, cluster.id)) continue
    if (vault.opens(sealed, cluster.id)) data[column] = vault.seal(vault.unseal(sealed, cluster.id), cluster.id)
    else closed.push(`cluster ${cluster.id}: ${column}`)
  }
  return data
}
