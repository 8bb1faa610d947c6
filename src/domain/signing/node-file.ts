import type { CertificateAuthority } from '../../pki/ca.ts'
import type { CertificateVersion } from '../../pki/certificate.ts'
import type { NodePublicKey } from '../../pki/keys.ts'
import { signNode, type NodeCertificateRequest } from '../../pki/sign.ts'

/** The data of a node in its certificate. */
export interface Certified {
  readonly name: string
  /** Without the prefix length, which comes from the network. */
  readonly overlayIp: string
  readonly routes: readonly string[]
  readonly groups: readonly string[]
}

/** The terms of a cluster's certificates. */
interface Terms {
  readonly version: CertificateVersion
  /** The overlay network, such as `10.42.0.0/16`. */
  readonly networkCidr: string
  readonly notBefore: Date
  readonly notAfter: Date
}

/** A node's certificate file, as Nebula's `pki.cert` names it. */
export interface NodeFile {
  /** PEM: the block of the cluster's version, after one of version 1 where nodes of both versions communicate. */
  readonly pem: string
  /** The fingerprint of the block with the cluster's version. */
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
 * Signs all certificates of a node, for an enrollment, a renewal, a change of the node, or a bundle. In a cluster of
 * version 2 whose CA is of version 1, nodes that still have only a certificate of version 1 need one of that version
 * from this node, too: it precedes the other and contains only the IPv4 part, since that version holds nothing else.
 * Nebula requires that the first address of both is the same (pki.go, `newCertState`), and no more.
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

/** The part of a certificate that version 1 can hold; null without an IPv4 address, which it requires. */
function inVersion1(request: NodeCertificateRequest): NodeCertificateRequest | null {
  const networks = request.networks.filter(isIpv4)
  if (networks.length === 0) return null
  return { ...request, version: 1, networks, unsafeNetworks: request.unsafeNetworks.filter(isIpv4) }
}

const isIpv4 = (network: string): boolean => !network.includes(':')
