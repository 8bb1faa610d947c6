import { createHash } from 'node:crypto'
import { BundleCheck, type BundleFile } from './check.ts'
import type { FirewallSection } from '../yaml/firewall-section.ts'
import { compressedChunks, gunzip, type ArchiveSource } from './gunzip.ts'
import type { OverlaySettings } from '../yaml/overlay-settings.ts'
import { PrivateKeyScanner } from './private-keys.ts'
import { refuseArchive } from './refusal.ts'
import { TarReader } from './tar-reader.ts'

export type { BundleFile } from './check.ts'
export type { ArchiveSource } from './gunzip.ts'

/** An archive that may be stored and sent to nodes. */
export interface InspectedBundle {
  /** The archive as received, compressed. */
  readonly data: Uint8Array<ArrayBuffer>
  /** Of `data`, in hexadecimal. */
  readonly sha256: string
  /** Bytes of `data`. */
  readonly size: number
  /** The regular files in it, by path. */
  readonly files: readonly BundleFile[]
  /** The firewall that its `config.yml` brings for the cluster. */
  readonly firewall: FirewallSection
  /** The settings of its `config.yml` that still have to be compared with the cluster's network. */
  readonly overlay: OverlaySettings | null
}

/**
 * Decides whether an uploaded config bundle (tar.gz) may become a version of its cluster. Requirements: the limits of
 * limits.ts; one whole gzip with one whole tar in it, of regular files and folders (tar-reader.ts); names that mean one
 * place on every system (names.ts); no private key anywhere, including headers; YAML files with only one possible
 * reading (yaml.ts) that do not set the agent's settings (settings.ts); a `config.yml` at the root, with settings that
 * Nebula knows and can use, and firewall rules that Orrery can store (firewall-section.ts).
 *
 * `manifest.json`, `manifest.sig`, `ca.crt`, `nodes/` and `certs/` are allowed but ignored: the publisher writes them
 * anew for each version, and a downloaded archive with an edited `config.yml` is the natural upload. They are checked
 * like all files, since the archive is stored unchanged.
 *
 * The archive is read as a stream and never held unpacked: its compressed size and one YAML file bound the memory.
 *
 * @param owner the id of the tenant whose share of the threads it uses
 * @throws ValidationError at `input.archive`, or LimitError; the message names the file and the reason. Errors from
 * reading `archive` itself pass through unchanged.
 */
export async function inspectBundle(owner: string, archive: ArchiveSource): Promise<InspectedBundle> {
  const kept: Uint8Array[] = []
  const sha256 = createHash('sha256')
  // A gzip header can hold a name and a comment that no decompression shows.
  const keys = new PrivateKeyScanner()
  const keysOutside: number[] = []
  const compressed = compressedChunks(archive, (chunk) => {
    kept.push(chunk)
    sha256.update(chunk)
    const key = keys.push(chunk)
    if (key !== null) keysOutside.push(key)
  })
  const { files, firewall, overlay } = await checkContents(owner, compressed)
  // Checked last: data that deflate could not compress is stored literally, and is refused under its file's name.
  if (keysOutside.length > 0) throw refuseArchive('holds a private key in its gzip header')
  const data = concat(kept)
  return { data, sha256: sha256.digest('hex'), size: data.byteLength, files, firewall, overlay }
}

async function checkContents(
  owner: string,
  compressed: AsyncIterable<Uint8Array>,
): Promise<Pick<InspectedBundle, 'files' | 'firewall' | 'overlay'>> {
  const reader = new TarReader()
  const keys = new PrivateKeyScanner()
  const check = new BundleCheck(owner)
  for await (const chunk of gunzip(compressed)) {
    const key = keys.push(chunk)
    for (const event of reader.push(chunk)) await check.take(event)
    if (key !== null) throw check.refuseKey(key)
  }
  reader.end()
  return { files: await check.end(), firewall: check.firewall, overlay: check.overlay }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.byteLength, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.byteLength
  }
  return whole
}
