import { caFile, configFile } from '../../../nebula/bundle/manifest.ts'
import { firstWithCertificates2, newestOf } from '../../../nebula/version-hazards.ts'
import { parseCaCertificates } from '../../../pki/certificate.ts'
import type { CompileNode, RenderInput } from './compile-input.ts'
import { maxUnpacked, mebibytes } from '../inspect/limits.ts'
import { nodeConfig } from './node-config.ts'
import { archiveTooLarge } from '../inspect/refusal.ts'
import { sharedConfig } from './shared-config.ts'

/** The paths of a node's two files in a bundle. */
export const nodeConfigPath = (nodeId: string): string => `nodes/${nodeId}.yml`
export const nodeCertificatePath = (nodeId: string): string => `certs/${nodeId}.crt`

/** The files that Orrery writes for a cluster. */
interface Rendered {
  readonly texts: Map<string, string>
  /** The oldest Nebula that can run the files and lets in no more than they allow. */
  readonly minimumNebulaVersion: string
}

/**
 * The texts that Orrery writes for a cluster, by path: ca.crt, config.yml, and for each node that holds a certificate
 * `nodes/<id>.yml` and `certs/<id>.crt`. They are neither signed nor packed, so a change can be previewed with them.
 * @throws LimitError when they exceed the limits of a bundle
 */
export const renderFiles = (input: RenderInput): Map<string, string> => renderCluster(input).texts

/** `renderFiles`, with the content of the manifest. @throws LimitError */
export function renderCluster(input: RenderInput): Rendered {
  const nodes = certified(input.nodes)
  const shared = sharedConfig(input, nodes)
  const texts = new Map([
    [caFile, trustedCas(input)],
    [configFile, shared.text],
  ])
  let size = shared.text.length
  for (const node of nodes) {
    const config = nodeConfig(node, shared, input)
    texts.set(nodeConfigPath(node.id), config)
    texts.set(nodeCertificatePath(node.id), withLineBreak(node.certificate))
    // Each of a thousand routers lists the routes of all the others: the limit applies before they fill the memory.
    size += config.length
    if (size > maxUnpacked) throw archiveTooLarge(`unpacks to more than ${mebibytes(maxUnpacked)}`)
  }
  const forCertificates = input.certificateVersion === 2 ? [firstWithCertificates2] : []
  return { texts, minimumNebulaVersion: newestOf([shared.minimumNebulaVersion, ...forCertificates]) }
}

/** The nodes of a bundle, in the order of its Merkle tree. */
export const certified = (nodes: readonly CompileNode[]): (CompileNode & { readonly certificate: string })[] =>
  nodes
    .flatMap((node) => (node.certificate === null ? [] : [{ ...node, certificate: node.certificate }]))
    .sort((a, b) => (a.id < b.id ? -1 : 1))

/** A CA of version 2 prevents Nebula before 1.10 from starting, so it is left out until the cluster uses version 2. */
const trustedCas = ({ cas, certificateVersion }: RenderInput): string =>
  cas
    .flatMap((pem) => parseCaCertificates(pem))
    .filter(({ version }) => version <= certificateVersion)
    .map(({ pem }) => withLineBreak(pem))
    .join('')

const withLineBreak = (text: string): string => (text.endsWith('\n') ? text : `${text}\n`)
