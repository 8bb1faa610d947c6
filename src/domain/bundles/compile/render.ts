import { CA_FILE, CONFIG_FILE } from '../../../nebula/bundle/manifest.ts'
import { firstWithCertificates2, newestOf } from '../../../nebula/version-hazards.ts'
import { parseCaCertificates } from '../../../pki/certificate.ts'
import type { CompileNode, RenderInput } from './compile-input.ts'
import { MAX_UNPACKED, mebibytes } from '../inspect/limits.ts'
import { nodeConfig } from './node-config.ts'
import { archiveTooLarge } from '../inspect/refusal.ts'
import { sharedConfig } from './shared-config.ts'

/** Where a bundle has the two files of a node. */
export const nodeConfigPath = (nodeId: string): string => `nodes/${nodeId}.yml`
export const nodeCertificatePath = (nodeId: string): string => `certs/${nodeId}.crt`

/** What Orrery writes for a cluster. */
interface Rendered {
  readonly texts: Map<string, string>
  /** The oldest Nebula that can run it, and lets in no more than it says. */
  readonly minimumNebulaVersion: string
}

/**
 * The texts that Orrery writes for a cluster, by path: ca.crt, config.yml, and for each node that holds a certificate
 * `nodes/<id>.yml` and `certs/<id>.crt`. Neither signed nor packed: what a change would do can be looked at with this.
 * @throws LimitError when they are more than a bundle may hold
 */
export const renderFiles = (input: RenderInput): Map<string, string> => renderCluster(input).texts

/** `renderFiles`, and what its manifest says. @throws LimitError */
export function renderCluster(input: RenderInput): Rendered {
  const nodes = certified(input.nodes)
  const shared = sharedConfig(input, nodes)
  const texts = new Map([
    [CA_FILE, trustedCas(input)],
    [CONFIG_FILE, shared.text],
  ])
  let size = shared.text.length
  for (const node of nodes) {
    const config = nodeConfig(node, shared, input)
    texts.set(nodeConfigPath(node.id), config)
    texts.set(nodeCertificatePath(node.id), withLineBreak(node.certificate))
    // Each of a thousand routers has the routes of all the others: seen here before it fills the memory.
    size += config.length
    if (size > MAX_UNPACKED) throw archiveTooLarge(`unpacks to more than ${mebibytes(MAX_UNPACKED)}`)
  }
  const forCertificates = input.certificateVersion === 2 ? [firstWithCertificates2] : []
  return { texts, minimumNebulaVersion: newestOf([shared.minimumNebulaVersion, ...forCertificates]) }
}

/** The nodes of a bundle, in the order of its Merkle tree. */
export const certified = (nodes: readonly CompileNode[]): (CompileNode & { readonly certificate: string })[] =>
  nodes
    .flatMap((node) => (node.certificate === null ? [] : [{ ...node, certificate: node.certificate }]))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

/** A CA of version 2 keeps Nebula before 1.10 from starting, so that it waits for the cluster's version. */
const trustedCas = ({ cas, certificateVersion }: RenderInput): string =>
  cas
    .flatMap((pem) => parseCaCertificates(pem))
    .filter(({ version }) => version <= certificateVersion)
    .map(({ pem }) => withLineBreak(pem))
    .join('')

const withLineBreak = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
