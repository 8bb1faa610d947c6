import { gunzip } from 'node:zlib'
import { promisify } from 'node:util'

import { readTar } from './tar.ts'
import { SliceError } from './slice.ts'

/** What an agent takes at most, in bytes: as much as a bundle may have. */
const MAX_COMPRESSED = 10 * 1024 * 1024
const MAX_UNPACKED = 64 * 1024 * 1024

const unzip = promisify(gunzip)

/**
 * Unpacks a slice as `GET /bundle` sends it; nothing is written anywhere. What is in it is not checked yet: see
 * `verifySlice`.
 * @param archive tar.gz, at most 10 MiB, 64 MiB unpacked
 * @returns the files by path
 * @throws SliceError for anything but a gzip of a tar of regular files
 */
export async function readSlice(archive: Uint8Array): Promise<Map<string, Uint8Array>> {
  if (archive.byteLength > MAX_COMPRESSED) throw new SliceError('the slice', 'is larger than 10 MiB')
  try {
    return readTar(await unzip(archive, { maxOutputLength: MAX_UNPACKED }))
  } catch (error) {
    const tooLarge = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE'
    throw new SliceError('the slice', tooLarge ? 'unpacks to more than 64 MiB' : (error as Error).message, {
      cause: error,
    })
  }
}
