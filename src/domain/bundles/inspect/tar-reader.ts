import { maxExtendedHeader, maxUnpacked, mebibytes } from './limits.ts'
import { fileTooLarge, refuseArchive, refuseFile, show } from './refusal.ts'
import { parseGnuLongName, parsePax } from './tar-extended.ts'
import { blockSize, parseHeader, type TarHeader } from './tar-header.ts'

/** The events of reading a tar. A file's `entry` is followed by its `data`, in pieces, and its `end`. */
export type TarEvent =
  | {
      readonly kind: 'entry'
      readonly name: string
      readonly type: 'file' | 'folder'
      readonly size: number
      /** Where its header is, in bytes from the start of the tar. */
      readonly offset: number
    }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'end' }

/** Kinds of entry that a bundle may not contain, by type flag. */
const refusedTypes: Readonly<Record<string, string>> = {
  '1': 'is a hard link',
  '2': 'is a symbolic link',
  '3': 'is a character device',
  '4': 'is a block device',
  '6': 'is a FIFO',
  S: 'is a sparse file',
}

/** Headers that describe the next one: pax, pax for all that follow, GNU long name, GNU long link target. */
const extendedTypes = 'xgLK'

const zeroBlock = Buffer.alloc(blockSize)

/**
 * Reads a tar piece by piece and refuses all but regular files and folders.
 *
 * It replaces tar-stream's reader because the input is untrusted: that reader copies a global pax header into every
 * entry (an archive of 125 KB keeps it busy for a minute), reads on after the end mark, and accepts 4 MiB of extended
 * header.
 */
export class TarReader {
  #rest: Buffer = Buffer.alloc(0)
  #offset = 0
  #left = 0
  #extended: { readonly type: string; readonly parts: Buffer[] } | null = null
  #longName: string | null = null
  #zeroBlocks = 0
  #last: string | null = null

  /** The current place, for a refusal. */
  #where(): string {
    return this.#last === null ? 'at its start' : `after ${show(this.#last)}`
  }

  /** Takes the next bytes. @throws ValidationError, LimitError */
  *push(chunk: Buffer): Generator<TarEvent, void> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const whole = bytes.length - (bytes.length % blockSize)
    for (let at = 0; at < whole;) {
      if (this.#left > 0) {
        const content = bytes.subarray(at, Math.min(at + this.#left, whole))
        at += Math.ceil(content.length / blockSize) * blockSize
        yield* this.#take(content, bytes.subarray(at - ((blockSize - (content.length % blockSize)) % blockSize), at))
      } else {
        yield* this.#header(bytes.subarray(at, at + blockSize), this.#offset + at)
        at += blockSize
      }
    }
    this.#rest = bytes.subarray(whole)
    this.#offset += whole
  }

  /** Ends the input. @throws ValidationError when the tar is not complete */
  end(): void {
    if (this.#left > 0 && this.#last !== null) throw refuseFile(this.#last, 'the archive ends in the middle of it')
    if (this.#zeroBlocks < 2 || this.#rest.length > 0) {
      throw refuseArchive(`is not a whole tar: it ends ${this.#where()} without an end mark`)
    }
  }

  *#take(content: Buffer, padding: Buffer): Generator<TarEvent, void> {
    this.#left -= content.length
    if (this.#extended !== null) this.#extended.parts.push(content)
    else yield { kind: 'data', bytes: content }
    if (this.#left > 0) return
    // Tar writers fill a block up with zeros; other bytes would belong to no file and would stay unchecked.
    if (!padding.equals(zeroBlock.subarray(0, padding.length))) throw refuseArchive(`has bytes ${this.#where()}`)
    if (this.#extended !== null) this.#extend()
    else yield { kind: 'end' }
  }

  *#header(block: Buffer, offset: number): Generator<TarEvent, void> {
    if (block.equals(zeroBlock)) {
      if (this.#longName !== null) throw refuseArchive(`is not a whole tar: it ends before ${show(this.#longName)}`)
      this.#zeroBlocks += 1
      return
    }
    if (this.#zeroBlocks > 0) throw refuseArchive('goes on after its end mark')
    const header = parseHeader(block, this.#where())
    if (extendedTypes.includes(header.type)) this.#startExtended(header)
    else yield* this.#entry(header, offset)
  }

  #startExtended({ type, size }: TarHeader): void {
    if (size > maxExtendedHeader) {
      throw refuseArchive(`has an extended header of more than ${maxExtendedHeader} bytes ${this.#where()}`)
    }
    this.#extended = { type, parts: [] }
    this.#left = size
    if (size === 0) this.#extend()
  }

  #extend(): void {
    const { type, parts } = this.#extended ?? { type: 'g', parts: [] }
    this.#extended = null
    const bytes = Buffer.concat(parts)
    if (type === 'L') this.#longName = parseGnuLongName(bytes)
    if (type === 'L' || type === 'K') return
    const pax = parsePax(bytes)
    if (type === 'g' && pax.path !== null) throw refuseArchive('has a global header that renames every entry')
    if (pax.sparse) throw refuseFile(pax.path ?? 'an entry', 'is a sparse file')
    // Only files of 8 GiB and more need it. Otherwise one file has two sizes, and readers differ in which one counts.
    if (pax.size !== null) throw refuseFile(pax.path ?? 'an entry', 'its size is in a pax header')
    this.#longName = pax.path ?? this.#longName
  }

  *#entry(header: TarHeader, offset: number): Generator<TarEvent, void> {
    const name = this.#longName ?? header.name
    this.#longName = null
    this.#last = name
    // Tars older than POSIX mark a folder as a regular file whose name ends in a slash.
    const folder = header.type === '5' || (header.type === '0' && name.endsWith('/'))
    if (!folder && header.type !== '0') {
      throw refuseFile(
        name,
        `${refusedTypes[header.type] ?? 'is of an unknown kind'}; only files and folders are allowed`,
      )
    }
    if (folder && header.size > 0) throw refuseFile(name, 'is a folder with content')
    if (header.size > maxUnpacked) throw fileTooLarge(name, `is larger than ${mebibytes(maxUnpacked)}`)
    yield { kind: 'entry', name, type: folder ? 'folder' : 'file', size: header.size, offset }
    if (folder) return
    this.#left = header.size
    if (header.size === 0) yield { kind: 'end' }
  }
}
