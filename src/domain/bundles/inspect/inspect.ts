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

/** An archive that may be stored and handed to nodes. */
export interface InspectedBundle {
  /** The archive as it came, compressed. */
  readonly data: Uint8Array<ArrayBuffer>
  /** Of `data`, in hexadecimal. */
  readonly sha256: string
  /** Bytes of `data`. */
  readonly size: number
  /** The regular files in it, by path. */
  readonly files: readonly BundleFile[]
  /** The firewall that its `config.yml` brings for the cluster. */
  readonly firewall: FirewallSection
  /** What of its `config.yml` is yet to be compared with the cluster's network. */
  readonly overlay: OverlaySettings | null
}

/**
 * Decides whether an uploaded config bundle (tar.gz) may become a version of its cluster. What it has to satisfy: the
 * bounds of limits.ts; one whole gzip with one whole tar in it, of regular files and folders (tar-reader.ts); names that
 * mean one place on every system (names.ts); no private key anywhere, not in headers either; YAML files that parse, one
 * way only (yaml.ts), and leave the agent's settings alone (settings.ts); a `config.yml` at the root, with settings that
 * Nebula knows and can use, and firewall rules that Orrery can keep (firewall-section.ts).
 *
 * `manifest.json`, `manifest.sig`, `ca.crt`, `nodes/` and `certs/` may be in it: they are the publisher's, which writes
 * them anew for the version, but a downloaded archive whose `config.yml` was edited is the natural upload. Being ignored
 * does not spare them the checks, since the archive is kept as it came.
 *
 * The archive is read as a stream and never held unpacked: memory is bounded by its compressed size and one YAML file.
 *
 * @param owner whose share of the threads it takes: a tenant's id
 * @throws ValidationError at `input.archive`, or LimitError; the message names the file and the reason. What reading
 * `archive` itself throws comes through as it is.
 */
export async function inspectBundle(owner: string, archive: ArchiveSource): Promise<InspectedBundle> {
  const kept: Uint8Array[] = []
  const sha256 = createHash('sha256')
  // A gzip has room for a name and a comment of its own, outside of everything that unpacks.
  const keys = new PrivateKeyScanner()
  const keysOutside: number[] = []
  const compressed = compressedChunks(archive, (chunk) => {
    kept.push(chunk)
    sha256.update(chunk)
    const key = keys.push(chunk)
    if (key !== null) keysOutside.push(key)
  })
  const { files, firewall, overlay } = await checkContents(owner, compressed)
  // Only now: what deflate could not make smaller stands in it as it is, and is refused by its file's name.
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
