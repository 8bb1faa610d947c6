import { createHash, randomBytes } from 'node:crypto'

import { packBundle, zip } from '../../src/domain/bundles/compile/pack.ts'
import { caFile, configFile, manifestFile, signatureFile, writeManifest } from '../../src/nebula/bundle/manifest.ts'
import { generateBundleSigningKey, signManifest } from '../../src/nebula/bundle/signing.ts'
import { merkleRoot, nodeLeaf } from '../../src/nebula/bundle/merkle.ts'
import { writeTar, type TarFile } from '../../src/nebula/bundle/tar.ts'

const { privateKey } = generateBundleSigningKey()

/** PEM of the right form and size; no measured code reads its content. */
export const pem = (label: string, bytes: number): string =>
  `-----BEGIN ${label}-----\n${randomBytes(bytes).toString('base64')}\n-----END ${label}-----\n`

/** A bundle of about this many bytes from which no slice is served: incompressible data, as a comment. */
export async function oldArchive(size: number): Promise<Buffer> {
  return Buffer.from(await packBundle([{ path: configFile, content: comment(size - 300) }]))
}

interface Compiled {
  readonly clusterId: string
  readonly version: number
  readonly nodeIds: readonly string[]
  /** Bytes of each slice after compression. */
  readonly sliceSize: number
}

/** A complete compiled bundle, including the manifest's root, with a `config.yml` that gives slices of this size. */
export function compiledArchive({ clusterId, version, nodeIds, sliceSize }: Compiled): Buffer {
  const shared: TarFile[] = [
    { path: caFile, content: Buffer.from(pem('NEBULA CERTIFICATE', 200)) },
    { path: configFile, content: Buffer.from(comment(sliceSize - ownSize)) },
  ]
  const own = nodeIds.toSorted().map((id) => ({
    id,
    config: Buffer.from(`tun:\n  mtu: 1300\n# ${id}\n`),
    certificate: Buffer.from(pem('NEBULA CERTIFICATE', 260)),
  }))
  const leaves = own.map(({ id, config, certificate }) =>
    nodeLeaf({ node: id, config: hashOf(config), certificate: hashOf(certificate) }),
  )
  const manifest = writeManifest({
    format: 1,
    version,
    cluster: clusterId,
    createdAt: new Date().toISOString(),
    minimumNebulaVersion: '1.6.0',
    files: Object.fromEntries(
      shared.map(({ path, content }) => [path, { sha256: hashOf(content), size: content.byteLength }]),
    ),
    nodes: { count: leaves.length, root: merkleRoot(leaves) },
  })
  const files = [
    { path: manifestFile, content: Buffer.from(manifest) },
    { path: signatureFile, content: Buffer.from(`${signManifest(manifest, privateKey)}\n`) },
    ...shared,
    ...own.map(({ id, certificate }) => ({ path: `certs/${id}.crt`, content: certificate })),
    ...own.map(({ id, config }) => ({ path: `nodes/${id}.yml`, content: config })),
  ]
  // A hundred thousand nodes are more than a bundle may hold; only serving it is measured.
  return Buffer.from(zip(writeTar(files)))
}

/** The rest of a slice besides `config.yml`: manifest, signature, certificates, the proof. */
const ownSize = 1600

/** gzip compresses base64 to about the bytes that it encodes. */
const comment = (bytes: number): string => `# ${randomBytes(Math.max(16, bytes)).toString('base64')}\n`

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
