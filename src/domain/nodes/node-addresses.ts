import { ConflictError, LimitError, ValidationError } from '../../base/errors.ts'
import type { Cluster } from '../../db/client/types.ts'
import { fromNumber, hostRange, isFullAddress, toNumber } from '../../base/networks.ts'
import type { Change } from '../clusters/cluster-change.ts'

/** The number of addresses that one query checks. */
const blockSize = 64

/** The free addresses of a cluster's network, for one change that may use several. */
export interface AddressPool {
  /** Takes the lowest free one. @throws LimitError when the network is full */
  lowest(): Promise<string>
  /** Takes the requested one. @throws ValidationError, ConflictError */
  wanted(address: string): Promise<string>
}

/** No address below `clusters.next_overlay_ip` is free, so look-ups do not grow with the cluster. */
export function addressPool(change: Change): AddressPool {
  const { tx, cluster, set } = change
  const { first, last } = hostRange(cluster.networkCidr)
  const given = new Set<string>()
  let next = cluster.nextOverlayIp === null ? first : toNumber(cluster.nextOverlayIp)
  /** Free addresses from `next` on, as far as they were checked. */
  let known: string[] = []
  return {
    async lowest() {
      for (;;) {
        const free = known.shift()
        if (free !== undefined && given.has(free)) continue
        if (free !== undefined) {
          given.add(free)
          set({ nextOverlayIp: fromNumber(toNumber(free) + 1) })
          return free
        }
        if (next > last) throw new LimitError(`Every address of ${cluster.networkCidr} is taken`)
        const block = range(next, Math.min(next + blockSize - 1, last)).map(fromNumber)
        next += block.length
        const taken = await tx.node.findMany({
          where: { tenantId: cluster.tenantId, clusterId: cluster.id, overlayIp: { in: block } },
          select: { overlayIp: true },
        })
        const used = new Set(taken.map(({ overlayIp }) => overlayIp))
        known = block.filter((address) => !used.has(address))
      }
    },
    async wanted(address) {
      const overlayIp = await wantedAddress(change, address)
      if (given.has(overlayIp)) throw inUse(overlayIp)
      given.add(overlayIp)
      return overlayIp
    },
  }
}

/**
 * The requested address, if a node of the cluster may have it and it is free.
 * @throws ValidationError, ConflictError
 */
async function wantedAddress({ tx, cluster }: Change, wanted: string): Promise<string> {
  const { first, last } = hostRange(cluster.networkCidr)
  const value = isFullAddress(wanted) && !wanted.includes(':') ? toNumber(wanted) : null
  if (value === null || value < first || value > last) {
    const rule = `must be an address of ${cluster.networkCidr}, ${fromNumber(first)} to ${fromNumber(last)}`
    throw ValidationError.at(['input', 'overlayIp'], 'OUT_OF_RANGE', rule)
  }
  const overlayIp = fromNumber(value)
  const where = { tenantId: cluster.tenantId, clusterId: cluster.id, overlayIp }
  const taken = await tx.node.findFirst({ where, select: { id: true } })
  if (taken) throw inUse(overlayIp)
  return overlayIp
}

/**
 * Refuses a lighthouse's public address that lies in the overlay: it must be reachable from outside.
 * @throws ValidationError
 */
export function assertUnderlay(publicIp: string | null, { networkCidr }: Cluster): void {
  if (publicIp === null || publicIp.includes(':')) return
  const { first, last } = hostRange(networkCidr)
  const value = toNumber(publicIp)
  if (value < first - 1 || value > last + 1) return
  const message = `must lie outside of the overlay network, ${networkCidr}`
  throw ValidationError.at(['input', 'lighthousePublicIp'], 'OVERLAPS', message)
}

/** The new value of `clusters.next_overlay_ip` after an address was released. */
export function hintAfterRelease({ nextOverlayIp }: Cluster, freed: string): string | null {
  return nextOverlayIp !== null && toNumber(freed) < toNumber(nextOverlayIp) ? freed : nextOverlayIp
}

const inUse = (overlayIp: string) => new ConflictError(`${overlayIp} belongs to another node of the cluster`)

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
