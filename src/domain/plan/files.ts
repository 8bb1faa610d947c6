import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'

import { originsOf, parseCaCertificates } from '../../pki/certificate.ts'
import type { RenderInput } from '../bundles/compile/compile-input.ts'
import { maxDiffedText } from '../bundles/read/file-diff.ts'
import { nodeCertificatePath, renderFiles } from '../bundles/compile/render.ts'

/** The render input of a snapshot's bundle, and the CA that would sign it. Plain data, since it is sent to a thread. */
export interface PlanState extends RenderInput {
  /** PEM of the CA that signs; null when there is none yet. */
  readonly signingCa: string | null
}

/** The new certificate of a node: of the same version, or of another one. */
export type Signing = 'same version' | 'other version'

/** The files of a bundle that was rendered but not compiled. */
export interface RenderedFiles {
  /** By path; for an opaque file, a value that identifies its content. */
  readonly texts: ReadonlyMap<string, string>
  /** Files whose content is not shown: they are not text, too large, or not written yet. */
  readonly opaque: ReadonlySet<string>
  /** Nodes that receive a new certificate with the next bundle, since the change makes the current one obsolete. */
  readonly signedAnew: ReadonlyMap<string, Signing>
}

/** Appended to a certificate that will be replaced, so that the file differs in any case. */
export const signedAnewMark = '# signed anew\n'

/**
 * Renders the content of a snapshot's bundle.
 * @param before the state before the change, to find the certificates that the change makes obsolete; null to skip this
 * @throws LimitError when the files exceed the limits of a bundle
 */
export function renderedFiles(state: PlanState, before: PlanState | null): RenderedFiles {
  const texts = renderFiles(state)
  const opaque = new Set<string>()
  for (const { path, content } of state.shared?.further ?? []) {
    const isText = isUtf8(content) && content.length <= maxDiffedText && !content.includes(0)
    texts.set(path, isText ? Buffer.from(content).toString() : createHash('sha256').update(content).digest('hex'))
    if (!isText) opaque.add(path)
  }
  const signedAnew = before === null ? new Map<string, Signing>() : obsolete(before, state)
  for (const id of signedAnew.keys()) {
    const path = nodeCertificatePath(id)
    texts.set(path, `${texts.get(path) ?? ''}${signedAnewMark}`)
    opaque.add(path)
  }
  return { texts, opaque, signedAnew }
}

/** The nodes whose certificate the change makes the publisher sign again: with another CA, or in another version. */
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
