import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { chunkSize, maxCompressed, maxUnpacked, mebibytes } from './limits.ts'
import { archiveTooLarge, refuseArchive } from './refusal.ts'

/** The start of a gzip: its two magic bytes and deflate, the only method there is. */
const gzipMagic = [0x1f, 0x8b, 8]

/** The forms of an archive: in one piece, or as an upload that is still arriving. */
export type ArchiveSource = Uint8Array | AsyncIterable<Uint8Array>

/** The archive in pieces of at most chunkSize bytes, each passed to `keep`; over maxCompressed, it throws a LimitError. */
export async function* compressedChunks(
  archive: ArchiveSource,
  keep: (chunk: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void> {
  let total = 0
  for await (const part of archive instanceof Uint8Array ? [archive] : archive) {
    total += part.byteLength
    if (total > maxCompressed) throw archiveTooLarge(`is larger than ${mebibytes(maxCompressed)}`)
    for (let at = 0; at < part.byteLength; at += chunkSize) {
      // A copy: the stored bytes stay the ones that were hashed and checked, even if the caller reuses its buffer.
      const chunk = new Uint8Array(part.subarray(at, at + chunkSize))
      keep(chunk)
      yield chunk
    }
  }
}

/**
 * The bytes inside a gzip (RFC 1952), while its compressed bytes arrive. Several members in a row are one gzip.
 * Ending the iteration ends the decompression and the reading of `compressed`.
 *
 * @throws ValidationError when it is not a gzip, ends too early, fails its checksum, or is followed by other bytes;
 * LimitError as soon as more than maxUnpacked bytes were decompressed: a bomb costs no more than that.
 */
export async function* gunzip(compressed: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void> {
  const stream = createGunzip({ chunkSize })
  let fed = 0
  const start: number[] = []
  async function* counted(): AsyncGenerator<Uint8Array, void> {
    for await (const chunk of compressed) {
      fed += chunk.byteLength
      start.push(...chunk.subarray(0, Math.max(0, gzipMagic.length - start.length)))
      yield chunk
    }
  }
  // A failure of the feeding ends the stream with the same error, so that the loop below throws it once. One case is
  // left for later: a stream that ended before all input was fed.
  const feeding = pipeline(counted, stream).then(
    () => true,
    () => false,
  )
  let unpacked = 0
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      unpacked += chunk.byteLength
      if (unpacked > maxUnpacked) throw archiveTooLarge(`unpacks to more than ${mebibytes(maxUnpacked)}`)
      yield chunk
    }
    if (!(await feeding) || stream.bytesWritten < fed) throw refuseArchive('has other bytes after the end of its gzip')
  } catch (error) {
    throw translate(
      error,
      gzipMagic.every((byte, i) => start[i] === byte),
    )
  }
}

function translate(error: unknown, startsWell: boolean): unknown {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
  if (code === 'Z_BUF_ERROR') return refuseArchive('ends before its gzip is complete')
  if (code === 'Z_DATA_ERROR' || code === 'Z_NEED_DICT') {
    const reason = (error as Error).message
    if (/header|compression method/.test(reason)) {
      return refuseArchive(startsWell ? 'has other bytes after the end of its gzip' : 'is not a gzip file')
    }
    return refuseArchive(`is a damaged gzip file (${reason})`)
  }
  return error
}
