import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

import { originsOf, parseCaCertificates } from '../../pki/certificate.ts'
import type { RenderInput } from '../bundles/compile/compile-input.ts'
import { MAX_TEXT } from '../bundles/read/file-diff.ts'
import { nodeCertificatePath, renderFiles } from '../bundles/compile/render.ts'

/** What a snapshot's bundle would be rendered from, and which CA would sign in it; plain data: it goes to a thread. */
export interface PlanState extends RenderInput {
  /** PEM of the CA that signs; null where there is none yet. */
  readonly signingCa: string | null
}

/** What becomes of a certificate: another one of the same version, or of another. */
export type Signing = 'same version' | 'other version'

/** The files of a bundle that was not compiled. */
export interface RenderedFiles {
  /** By path; of an opaque one, what tells it from others. */
  readonly texts: ReadonlyMap<string, string>
  /** Files whose content is not shown: they are no text, too large, or not written yet. */
  readonly opaque: ReadonlySet<string>
  /** Nodes whose certificate the next bundle brings, since the change made the present one one of the past. */
  readonly signedAnew: ReadonlyMap<string, Signing>
}

/** Stands behind a certificate that is to be replaced: the file will differ, whatever is in it then. */
export const SIGNED_ANEW = '# signed anew\n'

/**
 * Renders what a snapshot's bundle would hold.
 * @param before the state before the change, where certificates are to be looked at that it makes obsolete
 * @throws LimitError when they are more than a bundle may hold
 */
export function renderedFiles(state: PlanState, before: PlanState | null): RenderedFiles {
  const texts = renderFiles(state)
  const opaque = new Set<string>()
  for (const { path, content } of state.shared?.further ?? []) {
    const isText = isUtf8(content) && content.length <= MAX_TEXT && !content.includes(0)
    texts.set(path, isText ? Buffer.from(content).toString() : createHash('sha256').update(content).digest('hex'))
    if (!isText) opaque.add(path)
  }
  const signedAnew = before === null ? new Map<string, Signing>() : obsolete(before, state)
  for (const id of signedAnew.keys()) {
    const path = nodeCertificatePath(id)
    texts.set(path, `${texts.get(path) ?? ''}${SIGNED_ANEW}`)
    opaque.add(path)
  }
  return { texts, opaque, signedAnew }
}

/** The nodes that the change makes the publisher sign again: another CA signs, or in another version. */
function obsolete(was: PlanState, { certificateVersion, signingCa, nodes }: PlanState): Map<string, Signing> {
  const found = new Map<string, Signing>()
  const isSame = was.certificateVersion === certificateVersion && was.signingCa === signingCa
  if (isSame || signingCa === null) return found
  const issuers = new Set(parseCaCertificates(signingCa).map(({ fingerprint }): string => fingerprint))
  for (const { id, certificate, publicKey } of nodes) {
    if (certificate === null || publicKey === null) continue
    const present = originsOf(certificate)
    const isOfVersion = present.at(-1)?.version === certificateVersion
    const isOfCa = present.every(({ issuer }) => issuer !== null && issuers.has(issuer))
    if (!isOfVersion || !isOfCa) found.set(id, isOfVersion ? 'same version' : 'other version')
  }
  return found
}
