/** A regular file of an archive. */
export interface TarFile {
  readonly path: string
  readonly content: Uint8Array
}

/** A tar consists of blocks of this many bytes. */
const blockSize = 512

/**
 * Writes a tar (POSIX.1-1988 ustar) that depends only on the files: in their order, mode 0644, time and owner 0. A path
 * that does not fit there, or is not ASCII, goes into a pax header before its file (POSIX.1-2001).
 *
 * One buffer for everything: tens of thousands of small files are written in tens of milliseconds.
 *
 * @param end whether to write the two blocks that end a tar; without them, more entries can follow
 */
export function writeTar(files: readonly TarFile[], end = true): Buffer {
  const parts = files.flatMap(({ path, content }): readonly Part[] => {
    if (fits(path)) return [{ name: path, type: '0', content }]
    const record = Buffer.from(paxPath(path))
    return [
      { name: 'pax-header', type: 'x', content: record },
      { name: 'pax-file', type: '0', content },
    ]
  })
  const size = parts.reduce((sum, { content }) => sum + blockSize + padded(content.byteLength), end ? 2 * blockSize : 0)
  const tar = Buffer.alloc(size)
  let at = 0
  for (const part of parts) {
    writeHeader(tar.subarray(at, at + blockSize), part)
    tar.set(part.content, at + blockSize)
    at += blockSize + padded(part.content.byteLength)
  }
  return tar
}

/**
 * Reads a tar as `writeTar` writes it, and is no more lenient: it comes from a control plane, and its paths decide
 * where files go.
 * @throws TarError for anything else, including two files of one path
 */
export function readTar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  let paxName: string | null = null
  for (let at = 0; at + blockSize <= tar.length;) {
    const header = tar.subarray(at, at + blockSize)
    if (header.every((byte) => byte === 0)) {
      if (paxName === null && tar.subarray(at).every((byte) => byte === 0)) return files
      break
    }
    const { name, type, size } = readHeader(header)
    const content = tar.subarray(at + blockSize, at + blockSize + size)
    if (content.length !== size) break
    at += blockSize + padded(size)
    if (type === 'x' && paxName === null) {
      paxName = /^\d+ path=([^\n]+)\n$/.exec(content.toString())?.[1] ?? null
      if (paxName === null) throw new TarError('has an extended header that is not a path')
    } else if (type === '0') {
      const path: string = paxName ?? name
      if (files.has(path)) throw new TarError(`has ${JSON.stringify(path)} twice`)
      files.set(path, content)
      paxName = null
    } else throw new TarError(`has ${JSON.stringify(name)}, which is no regular file`)
  }
  throw new TarError('is not a whole tar')
}

/** Bytes that are not a tar of Orrery's. */
export class TarError extends Error {
  override readonly name = 'TarError'
}

interface Part {
  readonly name: string
  readonly type: '0' | 'x'
  readonly content: Uint8Array
}

const padded = (size: number): number => Math.ceil(size / blockSize) * blockSize

const fits = (path: string): boolean => path.length <= 100 && /^[\x20-\x7e]*$/.test(path)

/** `"%d %s=%s\n"`, where the number is the length of the whole record. */
function paxPath(path: string): string {
  const rest = ` path=${path}\n`
  const bytes = Buffer.byteLength(rest)
  const length = bytes + String(bytes + String(bytes).length).length
  return `${length}${rest}`
}

/** The fields that are the same in every header: mode, owner, group, time, magic, device numbers. */
const headerTemplate = ((): Buffer => {
  const block = Buffer.alloc(blockSize)
  block.write('000644 ', 100, 'latin1')
  block.write('000000 \x00000000 ', 108, 'latin1')
  block.write('00000000000 00000000000 ', 124, 'latin1')
  block.write(' '.repeat(8), 148, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  block.write('000000 \x00000000 ', 329, 'latin1')
  return block
})()

function writeHeader(block: Buffer, { name, type, content }: Part): void {
  headerTemplate.copy(block)
  block.write(name, 0, 'latin1')
  block.write(content.byteLength.toString(8).padStart(11, '0'), 124, 'latin1')
  block.write(type, 156, 'latin1')
  block.write(`${checksum(block).toString(8).padStart(6, '0')} \0`, 148, 'latin1')
}

function readHeader(block: Buffer): { name: string; type: string; size: number } {
  const sum = Number.parseInt(block.toString('latin1', 148, 154), 8)
  const spaced = Buffer.from(block)
  spaced.fill(' ', 148, 156)
  if (block.toString('latin1', 257, 263) !== 'ustar\0' || sum !== checksum(spaced)) {
    throw new TarError('is not a whole tar')
  }
  const name = block.toString('latin1', 0, 100).replace(/\0.*$/s, '')
  const digits = /^[0-7]{11} $/.exec(block.toString('latin1', 124, 136))?.[0]
  if (digits === undefined) throw new TarError(`has ${JSON.stringify(name)} without a size`)
  return { name, type: block.toString('latin1', 156, 157), size: Number.parseInt(digits, 8) }
}

/** The sum of the block's bytes, with eight spaces as the checksum field; the bytes after the fields are zeros. */
function checksum(block: Buffer): number {
  let sum = 0
  for (let at = 0; at < 345; at += 1) sum += block[at] ?? 0
  for (let at = 345; at < blockSize; at += 1) sum += block[at] ?? 0
  return sum
}
