import { createHmac, timingSafeEqual, type KeyObject } from 'node:crypto'

import type { AuditAnchor } from '../../db/client/types.ts'

/** The keys of the present secret and of earlier ones. */
export interface AnchorKeys {
  readonly present: KeyObject
  readonly previous: readonly KeyObject[]
}

/** An anchor before it is signed. */
export type Unsigned = Omit<AuditAnchor, 'signature'>

/** Signs where a chain begins and how far it was there: HMAC-SHA256 over every column. */
export const signed = (anchor: Unsigned, { present }: AnchorKeys): AuditAnchor => ({
  ...anchor,
  signature: signature(anchor, present),
})

/** Under which secret an anchor was signed; `none` when it was forged or changed, or the secret is gone. */
export function signedUnder(anchor: AuditAnchor, { present, previous }: AnchorKeys): 'present' | 'previous' | 'none' {
  const holds = (key: KeyObject) => {
    const [expected, given] = [signature(anchor, key), anchor.signature].map((text) => Buffer.from(text))
    return expected !== undefined && given?.length === expected.length && timingSafeEqual(expected, given)
  }
  if (holds(present)) return 'present'
  return previous.some(holds) ? 'previous' : 'none'
}

function signature({ chain, firstSequence, previousHash, headSequence, headHash, signedAt }: Unsigned, key: KeyObject) {
  const parts = [chain, firstSequence, previousHash, headSequence, headHash, signedAt.toISOString()]
  return createHmac('sha256', key).update(JSON.stringify(parts)).digest('hex')
}
