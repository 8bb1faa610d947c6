import type { CompileInput, CompileNode } from '../../src/domain/bundles/compile/compile.ts'
import { openFirewall } from '../../src/domain/clusters/firewall.ts'
import { generateBundleSigningKey } from '../../src/nebula/bundle/signing.ts'
import { createCa, exportCaKey, type CertificateAuthority } from '../../src/pki/ca.ts'
import { formatPublicKey, generateNodeKeyPair, type NodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'

const [notBefore, notAfter] = [new Date('2026-01-01'), new Date('2046-01-01')]

export const newCa = (version: 1 | 2 = 1, fields: object = {}): CertificateAuthority =>
  createCa({ version, name: 'acme', notBefore, notAfter, networks: [], unsafeNetworks: [], groups: [], ...fields })

export const ca = newCa()
export const bundleKey = generateBundleSigningKey()
export const clusterId = '7f4f4b1e-52a5-4c7e-8d0a-0c5c3d1d9a10'

export const signerOf = (one: CertificateAuthority) => ({
  caCertificate: one.certificate.pem,
  caKeyPem: exportCaKey(one),
})

/** The id of the node at this place of the cluster. */
export const idOf = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`

const sharedKeys = generateNodeKeyPair()

/** A node that holds a certificate of `ca`, unless the fields say otherwise. */
export function nodeOf(index: number, fields: Partial<CompileNode> = {}, keys: NodeKeyPair = sharedKeys): CompileNode {
  const node = {
    id: idOf(index),
    name: `node-${index}`,
    overlayIp: `10.42.${Math.floor(index / 250)}.${(index % 250) + 1}`,
    mtu: 1300,
    routes: [],
    groups: [],
    isLighthouse: false,
    lighthousePublicIp: null,
    lighthousePort: null,
    isRelay: false,
    publicKey: formatPublicKey(keys.publicKey),
    ...fields,
  }
  const certificate = signNode(ca, {
    version: 1,
    name: node.name,
    networks: [`${node.overlayIp}/16`],
    unsafeNetworks: node.routes.filter((route) => !route.includes(':')),
    groups: node.groups,
    notBefore,
    notAfter,
    publicKey: keys.publicKey,
  })
  return { certificate: certificate.pem, certificateFingerprint: certificate.fingerprint, ...node }
}

/** A cluster of these nodes that is to be compiled. */
export const inputOf = (nodes: readonly CompileNode[], fields: Partial<CompileInput> = {}): CompileInput => ({
  clusterId,
  version: 7,
  createdAt: new Date('2026-06-01T12:00:00Z'),
  certificateVersion: 1,
  networkCidr: '10.42.0.0/16',
  lighthousePort: 4242,
  firewall: openFirewall,
  blocklist: [],
  cas: [ca.certificate.pem],
  shared: null,
  signingKey: bundleKey.privateKey,
  now: new Date('2026-06-01T12:00:00Z'),
  certificateLifetimeSeconds: 30 * 86_400,
  signer: null,
  nodes,
  ...fields,
})
