import { createHash } from 'node:crypto'

import { breaks } from '../../../base/pieces.ts'
import { caFile, configFile, manifestFile, readManifest, signatureFile } from '../../../nebula/bundle/manifest.ts'
import { MerkleTree, nodeLeaf } from '../../../nebula/bundle/merkle.ts'
import { nodeCertificateFile, nodeConfigFile, proofFile } from '../../../nebula/bundle/slice.ts'
import { writeTar, type TarFile } from '../../../nebula/bundle/tar.ts'
import { zip } from '../compile/pack.ts'
import { readBundle } from './read.ts'

/** A compiled bundle, ready to serve its slices. */
export interface DecodedBundle {
  readonly version: number
  /** The approximate memory in bytes, including the slices. */
  readonly bytes: number
  /** The files in every slice: one gzip member with the first part of a tar. */
  readonly head: Uint8Array
  readonly nodes: ReadonlyMap<string, DecodedNode>
  readonly tree: MerkleTree
}

interface DecodedNode {
  readonly index: number
  readonly config: Uint8Array
  readonly certificate: Uint8Array
  /** The gzip member with the node's own files and the tar's end; null before its first use. */
  tail: Uint8Array | null
}

/** Bytes of a node in addition to its two files: its tail, its leaf, and the objects around them, as measured. */
const nodeOverhead = 4_000

/**
 * Reads a stored bundle once, so that its slices cost almost nothing. Works in pieces.
 * @returns null when it was not compiled: it is an uploaded archive without a manifest
 * @throws Error when it is damaged
 */
export async function decodeBundle(data: Uint8Array): Promise<DecodedBundle | null> {
  const { shared, configs, certificates, size } = await readFiles(data)
  const manifestBytes = shared.get(manifestFile)
  if (manifestBytes === undefined) return null
  const manifest = readManifest(Buffer.from(manifestBytes).toString())
  const nodes = new Map<string, DecodedNode>()
  const leaves: Uint8Array[] = []
  const pause = breaks()
  for (const [id, config] of [...configs].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const certificate = certificates.get(id)
    if (certificate === undefined) throw new Error(`a stored bundle has no certificate for the node ${id}`)
    nodes.set(id, { index: leaves.length, config, certificate, tail: null })
    leaves.push(nodeLeaf({ node: id, config: hashOf(config), certificate: hashOf(certificate) }))
    await pause()
  }
  const tree = await MerkleTree.inPieces(leaves)
  if (tree.root !== manifest.nodes.root) throw new Error('a stored bundle has other nodes than its manifest says')
  const files = [manifestFile, signatureFile, caFile, configFile, ...Object.keys(manifest.files)]
  const head = zip(writeTar(filesOf(shared, new Set(files)), false))
  return { version: manifest.version, bytes: 2 * size + head.length + nodes.size * nodeOverhead, head, nodes, tree }
}

/**
 * A node's slice: tar.gz, the same bytes each time, in its two stored parts, to be sent in order; all nodes share the
 * first one. Null when the node is not in the bundle: it belongs to another cluster or has no certificate.
 */
export function slicePartsOf({ head, nodes, tree }: DecodedBundle, nodeId: string): readonly Uint8Array[] | null {
  const node = nodes.get(nodeId)
  if (node === undefined) return null
  node.tail ??= tailOf(nodeId, node, tree)
  // Two gzip members in sequence are one gzip (RFC 1952, section 2.2).
  return [head, node.tail]
}

function tailOf(nodeId: string, { index, config, certificate }: DecodedNode, tree: MerkleTree): Uint8Array {
  const proof = JSON.stringify({ node: nodeId, index, path: tree.proof(index) })
  return zip(
    writeTar([
      { path: nodeConfigFile, content: config },
      { path: nodeCertificateFile, content: certificate },
      { path: proofFile, content: Buffer.from(proof) },
    ]),
  )
}

interface ReadFiles {
  readonly shared: ReadonlyMap<string, Uint8Array>
  /** By node. */
  readonly configs: ReadonlyMap<string, Uint8Array>
  readonly certificates: ReadonlyMap<string, Uint8Array>
  /** Total bytes. */
  readonly size: number
}

async function readFiles(data: Uint8Array): Promise<ReadFiles> {
  const shared = new Map<string, Uint8Array>()
  const configs = new Map<string, Uint8Array>()
  const certificates = new Map<string, Uint8Array>()
  let size = 0
  const pause = breaks()
  for await (const { path, content } of readBundle(data)) {
    size += content.byteLength
    const [, folder, id = ''] = /^(nodes|certs)\/([0-9a-f-]+)\.(?:yml|crt)$/.exec(path) ?? []
    if (folder === 'nodes') configs.set(id, content)
    else if (folder === 'certs') certificates.set(id, content)
    else shared.set(path, content)
    await pause()
  }
  return { shared, configs, certificates, size }
}

function filesOf(shared: ReadonlyMap<string, Uint8Array>, paths: ReadonlySet<string>): TarFile[] {
  return [...paths].map((path) => {
    const content = shared.get(path)
    if (content === undefined) throw new Error(`a stored bundle has no ${path}`)
    return { path, content }
  })
}

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
