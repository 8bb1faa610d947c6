import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'

import type { Tx } from '../db/types.ts'
import { originsOf, parseCaCertificates } from '../pki/certificate.ts'
import { MAX_TEXT } from './bundle/file-diff.ts'
import { nodeCertificatePath, renderEach } from './bundle/render.ts'
import { renderInputOf } from './publish-compile.ts'
import { sharedInForce } from './publish.ts'
import type { Snapshot } from './snapshot.ts'

/** The files of a bundle that was not compiled. */
export interface RenderedFiles {
  /** By path; of an opaque one, what tells it from others. */
  readonly texts: ReadonlyMap<string, string>
  /** Files whose content is not shown: they are no text, too large, or not written yet. */
  readonly opaque: ReadonlySet<string>
  /** Nodes whose certificate the next bundle brings, since the change made the present one one of the past. */
  readonly signedAnew: ReadonlyMap<string, 'same version' | 'other version'>
}

/** Stands behind a certificate that is to be replaced: the file will differ, whatever is in it then. */
export const SIGNED_ANEW = '# signed anew\n'

/** Files that are written, and certificates that are read, between two turns of the event loop. */
const TURN = 200

/**
 * Renders what a snapshot's bundle would hold, leaving the event loop to others.
 * @param before the state before the change, where certificates are to be looked at that it makes obsolete
 * @throws LimitError when they are more than a bundle may hold
 */
export async function renderedFiles(
  db: Pick<Tx, 'configBundle'>,
  snapshot: Snapshot,
  before: Snapshot | null,
): Promise<RenderedFiles> {
  const shared = await sharedInForce(db, snapshot)
  const texts = new Map<string, string>()
  const opaque = new Set<string>()
  for (const [path, text] of renderEach(renderInputOf(snapshot, shared))) {
    texts.set(path, text)
    if (texts.size % TURN === 0) await setImmediate()
  }
  for (const { path, content } of shared?.further ?? []) {
    const isText = isUtf8(content) && content.length <= MAX_TEXT && !content.includes(0)
    texts.set(path, isText ? Buffer.from(content).toString() : createHash('sha256').update(content).digest('hex'))
    if (!isText) opaque.add(path)
  }
  const signedAnew =
    before === null ? new Map<string, 'same version' | 'other version'>() : await obsolete(before, snapshot)
  for (const id of signedAnew.keys()) {
    const path = nodeCertificatePath(id)
    texts.set(path, `${texts.get(path) ?? ''}${SIGNED_ANEW}`)
    opaque.add(path)
  }
  return { texts, opaque, signedAnew }
}

/** The nodes that the change makes the publisher sign again: another CA signs, or in another version. */
async function obsolete({ cluster: was }: Snapshot, { cluster, nodes }: Snapshot) {
  const found = new Map<string, 'same version' | 'other version'>()
  const isSame = was.certificateVersion === cluster.certificateVersion && was.pkiCaCert === cluster.pkiCaCert
  if (isSame || cluster.pkiCaCert === null) return found
  const issuers = new Set(parseCaCertificates(cluster.pkiCaCert).map(({ fingerprint }): string => fingerprint))
  for (const [index, { id, certificate, publicKey }] of nodes.entries()) {
    if (index % TURN === TURN - 1) await setImmediate()
    if (certificate === null || publicKey === null) continue
    const present = originsOf(certificate)
    const isOfVersion = present.at(-1)?.version === cluster.certificateVersion
    const isOfCa = present.every(({ issuer }) => issuer !== null && issuers.has(issuer))
    if (!isOfVersion || !isOfCa) found.set(id, isOfVersion ? 'same version' : 'other version')
  }
  return found
}
