import { gzipSync } from 'node:zlib'

import { writeTar, type TarFile } from '../../../nebula/bundle/tar.ts'
import { maxCompressed, maxUnpacked, mebibytes } from '../inspect/limits.ts'
import { BundleNames } from '../inspect/names.ts'
import { archiveTooLarge, refuseFile } from '../inspect/refusal.ts'

/** Where a gzip header names the system it was made on, and the value for "unknown" (RFC 1952, section 2.3.1). */
const gzipOs = 9
const gzipOsUnknown = 255

/**
 * `packFiles` for bytes, or for texts to be written in UTF-8, without blocking the caller. Rejects where `packFiles`
 * throws.
 */
export function packBundle(
  files: readonly { readonly path: string; readonly content: Uint8Array | string }[],
): Promise<Uint8Array<ArrayBuffer>> {
  const contents = files.map(({ path, content }) => ({
    path,
    content: typeof content === 'string' ? Buffer.from(content) : content,
  }))
  return Promise.resolve(contents).then(packFiles)
}

/**
 * Packs files into a bundle (tar.gz) that depends on nothing else: sorted by path, time and owner 0, mode 0644, no time
 * and no system in the gzip header. The same files give the same bytes wherever the same zlib runs.
 *
 * The 20 000 files of a large cluster take half a second: pack those in a thread.
 *
 * @throws LimitError over maxCompressed, maxUnpacked or maxEntries; ValidationError when a path is not allowed in an
 * upload, or is the same as another one on some system: a packed bundle can be uploaded again
 */
export function packFiles(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const names = new BundleNames()
  for (const { path } of sorted) {
    if (names.add(path, 'file') !== path) throw refuseFile(path, 'is not how a bundle writes this path')
  }
  const tar = writeTar(sorted)
  if (tar.length > maxUnpacked) throw archiveTooLarge(`unpacks to more than ${mebibytes(maxUnpacked)}`)
  const gzip = zip(tar)
  if (gzip.length > maxCompressed) throw archiveTooLarge(`is larger than ${mebibytes(maxCompressed)}`)
  return gzip
}

/** Input this small needs no larger window in zlib. Without the default tables of 256 KiB, it takes half the time. */
const smallArchive = { most: 8192, options: { windowBits: 13, memLevel: 5, chunkSize: 4096 } }

/** Compresses without recording in the header when and where it was made. */
export function zip(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const gzip = new Uint8Array(gzipSync(bytes, bytes.length <= smallArchive.most ? smallArchive.options : {}))
  gzip[gzipOs] = gzipOsUnknown
  return gzip
}
