import type { CertificateAuthority } from '../../pki/ca.ts'
import type { CertificateVersion } from '../../pki/certificate.ts'
import type { NodePublicKey } from '../../pki/keys.ts'
import { signNode, type NodeCertificateRequest } from '../../pki/sign.ts'

/** What of a node its certificate says. */
export interface Certified {
  readonly name: string
  /** Without the prefix length, which is the network's. */
  readonly overlayIp: string
  readonly routes: readonly string[]
  readonly groups: readonly string[]
}

/** How a cluster has its certificates. */
interface Terms {
  readonly version: CertificateVersion
  /** The overlay network, such as `10.42.0.0/16`. */
  readonly networkCidr: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A node's certificate file, as Nebula's `pki.cert` names it. */
export interface NodeFile {
  /** PEM: the block of the cluster's version, behind one of version 1 where nodes of both versions meet. */
  readonly pem: string
  /** Of the block of the cluster's version. */
  readonly fingerprint: string
  readonly notAfter: Date
}

/** The fields of a certificate that come from the node. */
export const contentOf = (networkCidr: string, { name, overlayIp, routes, groups }: Certified) => ({
  name,
  networks: [`${overlayIp}/${networkCidr.split('/')[1] ?? ''}`],
  unsafeNetworks: routes,
  groups,
})

/**
 * Signs all that a node holds, whoever asks for it: enrolment, a renewal, a change of the node, or a bundle. In a cluster
 * of version 2 whose CA is of version 1, nodes that still hold certificates of version 1 only can talk to this one by its
 * own of that version: it stands before the other and says what of it is IPv4, since that version holds nothing else.
 * Nebula wants the first address of both to be the same (pki.go, `newCertState`), and nothing more of what they say.
 * @throws PkiError when the CA does not allow it, or the cluster's version cannot hold it
 */
export function signNodeFile(
  ca: CertificateAuthority,
  { version, networkCidr, notBefore, notAfter }: Terms,
  { publicKey, ...node }: Certified & { readonly publicKey: NodePublicKey },
): NodeFile {
  const request = { version, ...contentOf(networkCidr, node), notBefore, notAfter, publicKey }
  const present = signNode(ca, request)
  const older = version === 2 && ca.certificate.version === 1 ? inVersion1(request) : null
  return {
    pem: older === null ? present.pem : signNode(ca, older).pem + present.pem,
    fingerprint: present.fingerprint,
    notAfter: present.notAfter,
  }
}

/** What version 1 can hold of a certificate; null without an IPv4 address, which it cannot be without. */
function inVersion1(request: NodeCertificateRequest): NodeCertificateRequest | null {
  const networks = request.networks.filter(isIpv4)
  if (networks.length === 0) return null
  return { ...request, version: 1, networks, unsafeNetworks: request.unsafeNetworks.filter(isIpv4) }
}

const isIpv4 = (network: string): boolean => !network.includes(':')
