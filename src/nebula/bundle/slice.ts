import { createHash } from 'node:crypto'

import * as z from 'zod'

import { jsonOf } from '../../base/json.ts'
import { caFile, configFile, manifestFile, readManifest, signatureFile, type BundleManifest } from './manifest.ts'
import { nodeLeaf, verifyInclusion } from './merkle.ts'
import { verifyManifest } from './signing.ts'
import { sliceBounds } from './slice-bounds.ts'

/** The names of the node's own files in a slice. */
export const nodeConfigFile = 'node.yml'
export const nodeCertificateFile = 'node.crt'
export const proofFile = 'proof.json'

/** Bytes of each file that is read; uploaded files have no limit but the slice's. */
const sliceLimits: readonly (readonly [file: string, bytes: number])[] = [
  [manifestFile, sliceBounds.manifest],
  [signatureFile, sliceBounds.signature],
  [caFile, sliceBounds.certificates],
  [configFile, sliceBounds.config],
  [nodeConfigFile, sliceBounds.nodeConfig],
  [nodeCertificateFile, sliceBounds.certificates],
  [proofFile, sliceBounds.proof],
]

const ownFiles = [manifestFile, signatureFile, nodeConfigFile, nodeCertificateFile, proofFile]

const proofText = jsonOf(
  z.strictObject({ node: z.string().max(100), index: z.int(), path: z.array(z.string()).max(32) }),
)

/** A slice that the cluster's key did not sign for this node; the message names the file and the rule. */
export class SliceError extends Error {
  override readonly name = 'SliceError'
  /** The file at fault. */
  readonly file: string

  constructor(file: string, rule: string, options?: ErrorOptions) {
    super(`${file}: ${rule}`, options)
    this.file = file
  }
}

/** What a slice has to be for. */
export interface SliceOwner {
  /** The cluster's bundle-signing key: 32 bytes, base64. */
  readonly publicKey: string
  readonly clusterId: string
  readonly nodeId: string
}

/** A slice in which every byte is verified. */
export interface VerifiedSlice {
  readonly manifest: BundleManifest
  /** `ca.crt`: PEM of the CAs that the node trusts. */
  readonly ca: string
  /** `config.yml`: what all nodes share. */
  readonly config: string
  /** `node.yml`: the node's own settings, to be merged over `config`. */
  readonly nodeConfig: string
  /** `node.crt`: PEM of the node's certificate, one or two blocks. */
  readonly certificate: string
  /** The files that an upload added, by path. */
  readonly furtherFiles: ReadonlyMap<string, Uint8Array>
}

/**
 * Checks a slice: the cluster's key signed its manifest, and the manifest is for this cluster; the files are exactly
 * those of the manifest, byte for byte; the node's own files are those that the manifest has for this node.
 * The caller compares the version with the running one.
 * @param files by path, as unpacked
 * @throws SliceError
 */
export function verifySlice(files: ReadonlyMap<string, Uint8Array>, owner: SliceOwner): VerifiedSlice {
  for (const [file, most] of sliceLimits) {
    if ((files.get(file)?.byteLength ?? 0) > most) throw new SliceError(file, `has more than ${most} bytes`)
  }
  const manifest = verifiedManifest(files, owner)
  for (const path of files.keys()) {
    if (!ownFiles.includes(path) && !Object.hasOwn(manifest.files, path)) {
      throw new SliceError(path, 'is not in the manifest')
    }
  }
  for (const path of [caFile, configFile]) {
    if (!Object.hasOwn(manifest.files, path)) throw new SliceError(manifestFile, `files: has no ${path}`)
  }
  const furtherFiles = new Map<string, Uint8Array>()
  for (const [path, { sha256, size }] of Object.entries(manifest.files)) {
    if (ownFiles.includes(path)) throw new SliceError(manifestFile, `files: ${path} is a name of the slice's own`)
    const content = fileOf(files, path)
    if (content.byteLength !== size) {
      throw new SliceError(path, `has ${content.byteLength} bytes, the manifest says ${size}`)
    }
    if (hashOf(content) !== sha256) throw new SliceError(path, 'is not the file of the manifest: its SHA-256 differs')
    if (path !== caFile && path !== configFile) furtherFiles.set(path, content)
  }
  verifyOwnFiles(files, manifest, owner.nodeId)
  return {
    manifest,
    ca: textOf(files, caFile),
    config: textOf(files, configFile),
    nodeConfig: textOf(files, nodeConfigFile),
    certificate: textOf(files, nodeCertificateFile),
    furtherFiles,
  }
}

function verifiedManifest(files: ReadonlyMap<string, Uint8Array>, owner: SliceOwner): BundleManifest {
  const bytes = fileOf(files, manifestFile)
  if (!verifyManifest(bytes, textOf(files, signatureFile), owner.publicKey)) {
    throw new SliceError(signatureFile, `is not a signature of ${manifestFile} by the cluster's key`)
  }
  const manifest = read(manifestFile, () => readManifest(textOf(files, manifestFile)))
  if (manifest.cluster === owner.clusterId) return manifest
  throw new SliceError(manifestFile, `cluster: is ${manifest.cluster}, not this node's, ${owner.clusterId}`)
}

function verifyOwnFiles(files: ReadonlyMap<string, Uint8Array>, { nodes }: BundleManifest, nodeId: string): void {
  const { node, index, path } = read(proofFile, () => proofText.parse(textOf(files, proofFile)))
  if (node !== nodeId) throw new SliceError(proofFile, `node: is ${JSON.stringify(node)}, not this node, ${nodeId}`)
  const config = hashOf(fileOf(files, nodeConfigFile))
  const certificate = hashOf(fileOf(files, nodeCertificateFile))
  const leaf = nodeLeaf({ node, config, certificate })
  if (verifyInclusion({ leaf, index, count: nodes.count, path, root: nodes.root })) return
  const own = `${nodeConfigFile} and ${nodeCertificateFile}`
  throw new SliceError(proofFile, `does not fit: ${own} are not those that the manifest has for this node`)
}

function fileOf(files: ReadonlyMap<string, Uint8Array>, path: string): Uint8Array {
  const content = files.get(path)
  if (content === undefined) throw new SliceError(path, 'is missing')
  return content
}

const textOf = (files: ReadonlyMap<string, Uint8Array>, path: string): string =>
  read(path, () => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(fileOf(files, path)))

function read<Value>(file: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    if (error instanceof SliceError) throw error
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message
    throw new SliceError(file, reason.replaceAll('\n', ' '), { cause: error })
  }
}

const hashOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex')
