import { isUtf8 } from 'node:buffer'
import { refuseArchive, refuseFile } from './refusal.ts'

/** Tar is made of blocks of this many bytes. */
export const blockSize = 512

/** One header block: POSIX.1-1988 ustar, or GNU's older variant of it. */
export interface TarHeader {
  readonly name: string
  /** The type flag. NUL is returned as `0`, since both mean a regular file. */
  readonly type: string
  /** Bytes of content that follow, before padding. */
  readonly size: number
}

const posixMagic = 'ustar\0'
const gnuMagic = 'ustar '

/**
 * Reads a header block.
 *
 * @param where the place in the tar for error messages, e.g. `after config.yml`
 * @throws ValidationError when the checksum, the magic, the size or the name is invalid
 */
export function parseHeader(block: Buffer, where: string): TarHeader {
  const magic = block.toString('latin1', 257, 263)
  const posix = magic === posixMagic
  if ((!posix && magic !== gnuMagic) || octal(block, 148, 8) !== checksum(block)) {
    throw refuseArchive(`is not a whole tar: there is no header ${where}`)
  }
  const prefix = posix ? text(block, 345, 155) : ''
  const base = text(block, 0, 100)
  const name = prefix === '' ? base : `${prefix}/${base}`
  const size = octal(block, 124, 12)
  if (size === null) throw refuseFile(name, 'its header has no valid size')
  const type = block.toString('latin1', 156, 157)
  return { name, type: type === '\0' ? '0' : type, size }
}

/** Decodes a name. @throws ValidationError when it is not UTF-8 */
export function decodeName(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw refuseFile(Buffer.from(bytes).toString('latin1'), 'its name is not valid UTF-8')
  return Buffer.from(bytes).toString()
}

function text(block: Buffer, offset: number, length: number): string {
  const field = block.subarray(offset, offset + length)
  const end = field.indexOf(0)
  return decodeName(end === -1 ? field : field.subarray(0, end))
}

/** An octal number, padded with zeros or spaces and ended by a space or a NUL; null when the field is something else. */
function octal(block: Buffer, offset: number, length: number): number | null {
  const digits = /^ *([0-7]+)[ \0]*$/.exec(block.toString('latin1', offset, offset + length))?.[1]
  return digits === undefined ? null : Number.parseInt(digits, 8)
}

/** The sum of the block's bytes, its checksum field taken as eight spaces. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20
  for (let i = 0; i < blockSize; i++) if (i < 148 || i >= 156) sum += block[i] ?? 0
  return sum
}
