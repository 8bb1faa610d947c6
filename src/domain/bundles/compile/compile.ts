import { createHash } from 'node:crypto'

import { manifestFile, signatureFile, writeManifest, type BundleManifest } from '../../../nebula/bundle/manifest.ts'
import { signManifest } from '../../../nebula/bundle/signing.ts'
import { merkleRoot, nodeLeaf } from '../../../nebula/bundle/merkle.ts'
import type { TarFile } from '../../../nebula/bundle/tar.ts'
import type { CompiledBundle, CompileInput } from './compile-input.ts'
import { packFiles } from './pack.ts'
import { certified, nodeCertificatePath, nodeConfigPath, renderCluster } from './render.ts'
import { signAgain } from './sign-again.ts'

export type { CompiledBundle, CompileInput, CompileNode } from './compile-input.ts'

/**
 * Compiles a cluster's bundle: signs certificates again where that is due, renders every file, signs the manifest over
 * the files and packs everything. The same input gives the same bytes. Ten thousand nodes take a second: call it
 * through `compileInThread`, off the event loop.
 * @throws LimitError when the bundle becomes larger than a bundle may be; PkiError when the signer cannot sign
 */
export function compileBundle(input: CompileInput): CompiledBundle {
  const { nodes, resigned, problems } = signAgain(input)
  const { texts, minimumNebulaVersion } = renderCluster({ ...input, nodes })
  const files: TarFile[] = [...texts].map(([path, text]) => ({ path, content: Buffer.from(text) }))
  files.push(...(input.shared?.further ?? []))
  const manifest = writeManifest(manifestOf({ ...input, nodes, minimumNebulaVersion }, files))
  files.push(
    { path: manifestFile, content: Buffer.from(manifest) },
    { path: signatureFile, content: Buffer.from(`${signManifest(manifest, input.signingKey)}\n`) },
  )
  const data = packFiles(files)
  const nodeCount = certified(nodes).length
  return { data, sha256: hashOf(data), size: data.byteLength, nodeCount, resigned, problems }
}

function manifestOf(
  input: CompileInput & Pick<BundleManifest, 'minimumNebulaVersion'>,
  files: readonly TarFile[],
): BundleManifest {
  const hashes = new Map(
    files.map(({ path, content }) => [path, { sha256: hashOf(content), size: content.byteLength }]),
  )
  const take = (path: string): string => {
    const { sha256 = '' } = hashes.get(path) ?? {}
    hashes.delete(path)
    return sha256
  }
  const leaves = certified(input.nodes).map(({ id }) =>
    nodeLeaf({ node: id, config: take(nodeConfigPath(id)), certificate: take(nodeCertificatePath(id)) }),
  )
  return {
    format: 1,
    version: input.version,
    cluster: input.clusterId,
    createdAt: input.createdAt.toISOString(),
    minimumNebulaVersion: input.minimumNebulaVersion,
    // The remaining files are shared by all nodes.
    files: Object.fromEntries(hashes),
    nodes: { count: leaves.length, root: merkleRoot(leaves) },
  }
}

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
