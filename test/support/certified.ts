import { readSlice } from '../../src/nebula/bundle/slice-archive.ts'
import { verifySlice, type VerifiedSlice } from '../../src/nebula/bundle/slice.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../src/pki/keys.ts'
import type { TestApp } from './app.ts'

/** What a node that an admin created gets when it sends its public key. */
export interface Identity {
  readonly certificate: string
  readonly bundleSigningKey: string
  readonly clusterId: string
  readonly node: { readonly id: string }
}

/** Sends a fresh public key of the node, as its agent does. */
export async function certify(app: Pick<TestApp, 'ask'>, nodeToken: string): Promise<Identity> {
  const publicKey = formatPublicKey(generateNodeKeyPair().publicKey)
  const { renewNodeCertificate } = await app.ask<{ renewNodeCertificate: Identity & { message?: string } }>(
    nodeToken,
    `mutation ($input: RenewNodeCertificateInput!) { renewNodeCertificate(input: $input) {
      ... on RenewNodeCertificatePayload { certificate bundleSigningKey clusterId node { id } } ... on Error { message } } }`,
    { input: { publicKey } },
  )
  if (renewNodeCertificate.message !== undefined) throw new Error(renewNodeCertificate.message)
  return renewNodeCertificate
}

/** Downloads a node's slice and verifies it as its agent does. */
export async function fetchSlice(app: TestApp, nodeToken: string, identity: Identity): Promise<VerifiedSlice> {
  const response = await app.fetch('/bundle', { headers: { authorization: `Bearer ${nodeToken}` } })
  if (response.status !== 200) throw new Error(`GET /bundle: ${response.status} ${await response.text()}`)
  const files = await readSlice(new Uint8Array(await response.arrayBuffer()))
  const owner = { publicKey: identity.bundleSigningKey, clusterId: identity.clusterId, nodeId: identity.node.id }
  return verifySlice(files, owner)
}
