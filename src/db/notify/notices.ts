import * as z from 'zod'

import { jsonOf } from '../../base/json.ts'
import { piecesOf } from '../../base/pieces.ts'
import type { ChangeEvent } from './changes.ts'

/** PostgreSQL accepts less than 8000 bytes in one NOTIFY. */
const longest = 7900
/** Nodes of one event in a notice: this many fit in any case, each with an id and a version. */
const mostNodes = 80

const id = z.string()
const nodeIds = z.array(id)
const reports = z.array(z.object({ nodeId: id, appliedVersion: z.int().nullable() }))
const version = z.int()

const eventShape = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('changed'), clusterId: id, version }),
  z.object({ kind: z.literal('published'), clusterId: id, version }),
  z.object({ kind: z.literal('nodesAdded'), clusterId: id, nodeIds }),
  z.object({ kind: z.literal('nodeChanged'), clusterId: id, nodeId: id }),
  z.object({ kind: z.literal('nodeRemoved'), clusterId: id, nodeId: id, name: z.string() }),
  z.object({ kind: z.literal('reported'), clusterId: id, nodes: reports }),
  z.object({ kind: z.literal('clusterAdded'), clusterId: id }),
  z.object({
    kind: z.literal('ended'),
    clusterId: id,
    whose: z.union([z.enum(['enrolling', 'everybody']), z.object({ nodeId: id })]),
  }),
  z.object({ kind: z.literal('replicaUp'), replicaId: id, address: z.string() }),
  z.object({ kind: z.literal('replicaDown'), replicaId: id }),
  z.object({ kind: z.literal('tenantAdded'), tenantId: id }),
  z.object({ kind: z.literal('tenantRemoved'), tenantId: id }),
  z.object({ kind: z.literal('signedOut') }),
  z.object({ kind: z.literal('missed') }),
]) satisfies z.ZodType<ChangeEvent>

const noticeText = jsonOf(z.object({ from: z.string(), events: z.array(z.unknown()) }))

/** Packs events into as few notices as possible, in their order. `from`: the sending process. */
export function writeNotices(from: string, events: readonly ChangeEvent[]): string[] {
  const notices: string[] = []
  const frame = Buffer.byteLength(JSON.stringify({ from, events: [] }))
  let packed: string[] = []
  let size = frame
  const finish = () => {
    if (packed.length > 0) notices.push(`{"from":${JSON.stringify(from)},"events":[${packed.join(',')}]}`)
    packed = []
    size = frame
  }
  for (const event of events.flatMap(inPieces)) {
    const text = JSON.stringify(event)
    const length = Buffer.byteLength(text) + 1
    if (size + length > longest) finish()
    packed.push(text)
    size += length
  }
  finish()
  return notices
}

/**
 * The events of another process's notice; empty for an own notice. An unknown event (another version of the program may
 * run while instances are replaced one by one) could mean anything, so it counts as missed.
 */
export function readNotice(self: string, text: string | undefined): ChangeEvent[] {
  const notice = noticeText.safeParse(text)
  if (!notice.success) return [{ kind: 'missed' }]
  if (notice.data.from === self) return []
  return notice.data.events.map((one) => eventShape.safeParse(one).data ?? { kind: 'missed' })
}

function inPieces(event: ChangeEvent): ChangeEvent[] {
  if (event.kind === 'reported') return piecesOf(event.nodes, mostNodes).map((nodes) => ({ ...event, nodes }))
  if (event.kind === 'nodesAdded') return piecesOf(event.nodeIds, mostNodes).map((ids) => ({ ...event, nodeIds: ids }))
  return [event]
}
