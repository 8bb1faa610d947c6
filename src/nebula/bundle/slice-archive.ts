import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'

import { SliceError } from './slice.ts'
import { sliceBounds } from './slice-bounds.ts'
import { readTar } from './tar.ts'

const unzip = promisify(gunzip)

/**
 * Unpacks a slice as `GET /bundle` sends it; nothing is written to the disk. The content is not checked yet: see
 * `verifySlice`.
 * @param archive tar.gz, at most 10 MiB, 64 MiB unpacked
 * @returns the files by path
 * @throws SliceError for anything but a gzip of a tar of regular files
 */
export async function readSlice(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  if (archive.byteLength > sliceBounds.packed) throw new SliceError('the slice', 'is larger than 10 MiB')
  try {
    return readTar(await unzip(archive, { maxOutputLength: sliceBounds.unpacked }))
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw new SliceError('the slice', tooLarge ? 'unpacks to more than 64 MiB' : (error as Error).message, {
      cause: error,
    })
  }
}
