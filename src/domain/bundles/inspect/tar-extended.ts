import { refuseArchive } from './refusal.ts'
import { decodeName } from './tar-header.ts'

/** The relevant records of a pax header. */
export interface PaxRecords {
  /** The next entry's name, in place of its header's. */
  readonly path: string | null
  /** The next entry's size, in place of its header's. */
  readonly size: string | null
  /** The next entry is a GNU sparse file: its content is a map and the data between the holes. */
  readonly sparse: boolean
}

/**
 * Reads the records of a pax extended header (POSIX.1-2001, `"%d %s=%s\n"`, the number being the record's length).
 * Times, owners and vendors' attributes are ignored.
 *
 * @throws ValidationError when a record is malformed
 */
export function parsePax(bytes: Buffer): PaxRecords {
  let path: string | null = null
  let size: string | null = null
  let sparse = false
  for (let at = 0; at < bytes.length;) {
    const space = bytes.indexOf(0x20, at)
    const digits = space === -1 || space - at > 6 ? '' : bytes.toString('latin1', at, space)
    const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : 0
    const equals = bytes.indexOf(0x3d, space)
    if (end <= equals || equals === -1 || bytes[end - 1] !== 0x0a) {
      throw refuseArchive('has a damaged pax header')
    }
    const key = bytes.toString('latin1', space + 1, equals)
    const value = bytes.subarray(equals + 1, end - 1)
    if (key === 'path') path = decodeName(value)
    else if (key === 'size') size = value.toString('latin1')
    else if (key.startsWith('GNU.sparse.')) sparse = true
    at = end
  }
  return { path, size, sparse }
}

/** The name in the content of a GNU long-name header: up to its NUL. */
export function parseGnuLongName(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return decodeName(end === -1 ? bytes : bytes.subarray(0, end))
}
