import { randomUUID } from 'node:crypto'

import type { RawClient } from '../support/tenants.ts'
import type { Random } from './random.ts'
import type { Operation, Slot } from './slots.ts'
import type { Reach } from './stage.ts'

interface Found {
  readonly id: string
  readonly kind: string
  readonly tenantId: string
  readonly clusterId: string | null
}

/** The ids of all rows of all tenants, as they are now. */
export async function harvest(client: RawClient): Promise<Found[]> {
  const tenants = await client.tenant.findMany({ select: { id: true } })
  const clusters = await client.cluster.findMany({ select: { id: true, tenantId: true } })
  const nodes = await client.node.findMany({ select: { id: true, tenantId: true, clusterId: true } })
  return [
    ...tenants.map(({ id }) => ({ id, kind: 'tenant', tenantId: id, clusterId: null })),
    ...clusters.map(({ id, tenantId }) => ({ id, kind: 'cluster', tenantId, clusterId: id })),
    ...nodes.map((node) => ({ ...node, kind: 'node' })),
  ]
}

const isWithin = ({ tenantId, clusterId, kind }: Found, reach: Reach): boolean =>
  (reach.tenantId === null || tenantId === reach.tenantId) &&
  // A cluster's callers see the tenant that they are in.
  (reach.clusterId === null || clusterId === reach.clusterId || kind === 'tenant')

/** The ids to send an operation with, by slot; and the same with missing ids in the place of all foreign ones. */
export interface Filling {
  readonly ids: ReadonlyMap<string, string>
  readonly missing: ReadonlyMap<string, string>
  readonly hasForeign: boolean
}

/** Chooses an id for each slot. A mutation gets nothing but foreign ids where one is, so that it can change nothing. */
export function fill({ kind, slots }: Operation, reach: Reach, found: readonly Found[], random: Random): Filling {
  const isForeign = kind === 'mutation' && slots.some(({ owner }) => owner === 'foreign')
  const ids = new Map<string, string>()
  const missing = new Map<string, string>()
  // The same foreign id twice is the same missing id twice.
  const insteadOf = new Map<string, string>()
  let hasForeign = false
  for (const slot of slots) {
    const owner = isForeign ? 'foreign' : slot.owner
    const known = owner === 'missing' ? [] : matching(found, slot, (one) => isWithin(one, reach) === (owner === 'own'))
    const id = known.length > 0 ? random.pick(known).id : randomUUID()
    ids.set(slot.mark, id)
    const isTheirs = owner === 'foreign' && known.length > 0
    if (isTheirs && !insteadOf.has(id)) insteadOf.set(id, randomUUID())
    missing.set(slot.mark, isTheirs ? (insteadOf.get(id) ?? id) : id)
    hasForeign ||= isTheirs
  }
  return { ids, missing, hasForeign }
}

/** Those of the slot's kind, or of any kind where there is none. */
function matching(found: readonly Found[], { kind }: Slot, isRight: (one: Found) => boolean): Found[] {
  const right = found.filter(isRight)
  const ofKind = right.filter((one) => one.kind === kind)
  return ofKind.length > 0 ? ofKind : right
}
