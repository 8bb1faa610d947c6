import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { pack, type Pack } from 'tar-stream'
import { CHUNK, MAX_COMPRESSED, mebibytes } from './limits.ts'
import { BundleNames } from './names.ts'
import { archiveTooLarge, refuseFile } from './refusal.ts'

/** Where a gzip header names the system it was made on, and the value for "unknown" (RFC 1952, section 2.3.1). */
const GZIP_OS = 9
const GZIP_OS_UNKNOWN = 255

/**
 * Packs files into a bundle (tar.gz) that depends on nothing but them: sorted by path, time and owner 0, mode 0644, no
 * time and no system in the gzip header. The same files give the same bytes wherever the same zlib runs.
 *
 * @param files contents as bytes, or as text to be written in UTF-8
 * @throws LimitError over MAX_COMPRESSED or MAX_ENTRIES; ValidationError when a path is one that an upload may not have,
 * or is another's on some system: what is packed here can be uploaded again
 */
export async function packBundle(
  files: readonly { readonly path: string; readonly content: Uint8Array | string }[],
): Promise<Uint8Array<ArrayBuffer>> {
  const sorted = files.toSorted((a, b) => (a.path < b.path ? -1 : 1))
  const tar = pack()
  fill(tar, sorted).catch((error: unknown) => tar.destroy(error as Error))
  const gzip = await pipeline(coalesced(tar as AsyncIterable<Buffer>), createGzip(), buffer)
  if (gzip.length > MAX_COMPRESSED) throw archiveTooLarge(`is larger than ${mebibytes(MAX_COMPRESSED)}`)
  gzip[GZIP_OS] = GZIP_OS_UNKNOWN
  return new Uint8Array(gzip)
}

/** One entry at a time: the next one waits until the stream has taken the last, so that little is in memory twice. */
async function fill(
  tar: Pack,
  files: readonly { readonly path: string; readonly content: Uint8Array | string }[],
): Promise<void> {
  const names = new BundleNames()
  for (const { path, content } of files) {
    if (names.add(path, 'file') !== path) throw refuseFile(path, 'is not how a bundle writes this path')
    const header = { name: path, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }
    await new Promise<void>((resolve, reject) => {
      tar.entry(header, bytesOf(content), (error) => {
        if (error) reject(error)
        else resolve()
      })
    })
  }
  tar.finalize()
}

function bytesOf(content: Uint8Array | string): Buffer {
  if (typeof content === 'string') return Buffer.from(content)
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}

/** The same bytes in larger pieces: a header, a content and a padding on their own would be a journey each to zlib. */
async function* coalesced(tar: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let parts: Buffer[] = []
  let size = 0
  for await (const part of tar) {
    parts.push(part)
    size += part.length
    if (size < CHUNK) continue
    yield Buffer.concat(parts)
    parts = []
    size = 0
  }
  yield Buffer.concat(parts)
}
