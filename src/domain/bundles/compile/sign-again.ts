import type { ResignedNode } from '../../../db/writes/certificates.ts'
import { openCa, type CertificateAuthority } from '../../../pki/ca.ts'
import { originsOf, parseCertificates } from '../../../pki/certificate.ts'
import { PkiError } from '../../../pki/errors.ts'
import { parsePublicKey } from '../../../pki/keys.ts'
import { validityFrom } from '../../../pki/sign.ts'
import { signNodeFile } from '../../signing/node-file.ts'
import type { CompiledBundle, CompileInput, CompileNode } from './compile-input.ts'

type Outcome = Pick<CompiledBundle, 'resigned' | 'problems'> & {
  /** The nodes with their current certificates. */
  readonly nodes: readonly CompileNode[]
}

/**
 * Gives a new certificate to every node whose current one was not signed by the signer, or has another version than the
 * cluster's. A node whose request the CA refuses keeps its certificate, so that it does not delay the other nodes. All
 * nodes keep theirs when the CA has expired: the rest of the bundle (a revocation, the next CA) must still be
 * published.
 * @throws PkiError when the signer's certificate and key do not belong together
 */
export function signAgain(input: CompileInput): Outcome {
  const { signer, nodes } = input
  if (signer === null) return { nodes, resigned: [], problems: [] }
  const ca = openCa(signer.caCertificate, signer.caKeyPem)
  const signing: Signing = { ca, input }
  const resigned: ResignedNode[] = []
  const problems: { nodeId: string; message: string }[] = []
  const outcome = nodes.map((node): CompileNode => {
    if (node.certificate === null || node.publicKey === null) return node
    try {
      if (isPresent(node.certificate, signing)) return node
      const signed = sign(node, { ...signing, publicKey: node.publicKey, replaced: node.certificate })
      resigned.push(signed)
      return { ...node, certificate: signed.certificate, certificateFingerprint: signed.fingerprint }
    } catch (error) {
      if (!(error instanceof PkiError)) throw error
      problems.push({ nodeId: node.id, message: `${error.subject}: ${error.message}` })
      return node
    }
  })
  return { nodes: outcome, resigned, problems }
}

interface Signing {
  readonly ca: CertificateAuthority
  readonly input: CompileInput
}

function isPresent(pem: string, { ca, input }: Signing): boolean {
  const certificates = originsOf(pem)
  const issuer: string = ca.certificate.fingerprint
  return certificates.every((one) => one.issuer === issuer) && certificates.at(-1)?.version === input.certificateVersion
}

function sign(
  node: CompileNode,
  { ca, input, ...own }: Signing & { readonly publicKey: string; readonly replaced: string },
): ResignedNode {
  const validity = validityFrom(ca, input.now, input.certificateLifetimeSeconds)
  const terms = { version: input.certificateVersion, networkCidr: input.networkCidr, ...validity }
  const publicKey = parsePublicKey(own.publicKey)
  const { pem: certificate, fingerprint, notAfter: expiresAt } = signNodeFile(ca, terms, { ...node, publicKey })
  return {
    nodeId: node.id,
    previousFingerprint: node.certificateFingerprint,
    replaced: expiries(own.replaced),
    certificate,
    fingerprint,
    expiresAt,
  }
}

/** When the certificates of a file expire, by their fingerprints. */
const expiries = (pem: string): Record<string, string> =>
  Object.fromEntries(parseCertificates(pem).map(({ fingerprint, notAfter }) => [fingerprint, notAfter.toISOString()]))
