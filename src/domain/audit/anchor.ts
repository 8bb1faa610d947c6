import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'

import * as z from 'zod'

import { systemInTrail } from '../../auth/actor.ts'
import type { Operator } from '../../auth/scope.ts'
import { newTimeId } from '../../base/ids.ts'
import { jsonOf } from '../../base/json.ts'
import { hashOf, nothingKept } from '../../db/audit/event.ts'
import { eventOf } from '../../db/audit/recording.ts'
import type { AuditEvent } from '../../db/client/types.ts'

/** The keys of the present secret and of earlier ones. */
export interface AnchorKeys {
  readonly present: KeyObject
  readonly previous: readonly KeyObject[]
}

/** Where a chain begins, and how far it was when that was signed. */
export interface Anchor extends z.infer<typeof placeSchema> {
  readonly chain: string
  readonly signedAt: Date
}

const placeSchema = z.strictObject({
  /** Of the oldest row that is kept. */
  firstSequence: z.int(),
  /** Of the row before that one; null while none was cut. */
  previousHash: z.string().nullable(),
  /** Of the newest row when it was signed. */
  headSequence: z.int(),
  headHash: z.string(),
})

/** An anchor is the row before the first one of its chain, and replaced when it is signed anew. */
const sequence = 0

/**
 * The anchor as the row of its chain: its hash is made as an event's, and the signature, HMAC-SHA256, is over the hash.
 */
export function anchorRow({ chain, signedAt: at, ...place }: Anchor, { present }: AnchorKeys): AuditEvent {
  const intent = { action: 'audit.anchor', actor: systemInTrail, tenantId: null, requestId: null, address: null }
  const after = JSON.stringify(placeSchema.parse(place))
  const row = { ...eventOf(intent, []), id: newTimeId(), chain, sequence, at, after, previousHash: null }
  const hash = hashOf(row)
  return { ...row, hash, headOf: null, ...nothingKept, signature: signature(hash, present) }
}

/** What is known of a chain's anchor: `none` when it was forged or changed, or the secret is gone. */
type Found =
  | { readonly anchor: Anchor; readonly under: 'present' | 'previous' }
  | { readonly anchor: null; readonly under: 'none' | 'unsigned' }

/** Reads a chain's anchor, and under which secret it was signed. */
export async function readAnchor({ db }: Operator, chain: string, keys: AnchorKeys): Promise<Found> {
  const row = await db.auditEvent.findUnique({ where: { chain_sequence: { chain, sequence } } })
  if (!row) return { anchor: null, under: 'unsigned' }
  const under = signedUnder(row, keys)
  if (under === 'none') return { anchor: null, under }
  return { anchor: { ...jsonOf(placeSchema).parse(row.after), chain, signedAt: row.at }, under }
}

function signedUnder(row: AuditEvent, { present, previous }: AnchorKeys): 'present' | 'previous' | 'none' {
  const hash = hashOf(row)
  const given = Buffer.from(row.signature ?? '')
  const holds = (key: KeyObject) => {
    const expected = Buffer.from(signature(hash, key))
    return row.hash === hash && given.length === expected.length && timingSafeEqual(expected, given)
  }
  if (holds(present)) return 'present'
  return previous.some(holds) ? 'previous' : 'none'
}

const signature = (hash: string, key: KeyObject) => createHmac('sha256', key).update(hash).digest('hex')
