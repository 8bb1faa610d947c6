import { ConflictError, LimitError, ValidationError } from '../base/errors.ts'
import type { Cluster } from '../db/types.ts'
import { fromNumber, hostRange, isFullAddress, toNumber } from './addresses.ts'
import type { Change } from './cluster-change.ts'

/** How many addresses one look-up asks about. */
const blockSize = 64

/**
 * Takes the lowest free address of the cluster's network. `clusters.next_overlay_ip` says below which one none is free,
 * so that the look-up does not grow with the cluster.
 * @throws LimitError when the network is full
 */
export async function allocateAddress({ tx, cluster, set }: Change): Promise<string> {
  const { first, last } = hostRange(cluster.networkCidr)
  const from = cluster.nextOverlayIp === null ? first : toNumber(cluster.nextOverlayIp)
  for (let start = from; start <= last; start += blockSize) {
    const block = range(start, Math.min(start + blockSize - 1, last)).map(fromNumber)
    const taken = await tx.node.findMany({
      where: { clusterId: cluster.id, overlayIp: { in: block } },
      select: { overlayIp: true },
    })
    const used = new Set(taken.map(({ overlayIp }) => overlayIp))
    const free = block.find((address) => !used.has(address))
    if (free === undefined) continue
    set({ nextOverlayIp: fromNumber(toNumber(free) + 1) })
    return free
  }
  throw new LimitError(`Every address of ${cluster.networkCidr} is taken`)
}

/**
 * The address that is wished for, when a node of the cluster may have it and none has.
 * @throws ValidationError, ConflictError
 */
export async function wantedAddress({ tx, cluster }: Change, wanted: string): Promise<string> {
  const { first, last } = hostRange(cluster.networkCidr)
  const value = isFullAddress(wanted) && !wanted.includes(':') ? toNumber(wanted) : null
  if (value === null || value < first || value > last) {
    const rule = `must be an address of ${cluster.networkCidr}, ${fromNumber(first)} to ${fromNumber(last)}`
    throw ValidationError.at(['input', 'overlayIp'], rule)
  }
  const overlayIp = fromNumber(value)
  const taken = await tx.node.findFirst({ where: { clusterId: cluster.id, overlayIp }, select: { id: true } })
  if (taken) throw new ConflictError(`${overlayIp} belongs to another node of the cluster`)
  return overlayIp
}

/**
 * Refuses a lighthouse's public address that lies in the overlay: it is where the overlay is entered from outside.
 * @throws ValidationError
 */
export function assertUnderlay(publicIp: string | null, { networkCidr }: Cluster): void {
  if (publicIp === null || publicIp.includes(':')) return
  const { first, last } = hostRange(networkCidr)
  const value = toNumber(publicIp)
  if (value < first - 1 || value > last + 1) return
  throw ValidationError.at(['input', 'lighthousePublicIp'], `must lie outside of the overlay network, ${networkCidr}`)
}

/** What `clusters.next_overlay_ip` must be once an address is free again. */
export function hintAfterRelease({ nextOverlayIp }: Cluster, freed: string): string | null {
  return nextOverlayIp !== null && toNumber(freed) < toNumber(nextOverlayIp) ? freed : nextOverlayIp
}

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, offset) => first + offset)
