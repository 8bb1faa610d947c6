import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { CallerError } from '../../src/base/errors.ts'
import { inspectBundle } from '../../src/domain/bundles/inspect/inspect.ts'

/** What every good bundle has. */
export const configText = { name: 'config.yml', content: 'punchy:\n  punch: true\n' }

export interface Entry {
  readonly name: string
  readonly type?: 'directory'
  readonly content?: string | Uint8Array
}

/** A tar as tar-stream writes it: what ordinary tools would upload. */
export async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const { content, ...header } of entries) tar.entry(header, Buffer.from(content ?? ''))
  tar.finalize()
  const parts: Buffer[] = []
  for await (const part of tar) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

/** A tar.gz of `config.yml` and these. */
export async function bundleOf(...entries: readonly Entry[]): Promise<Buffer> {
  return gzipSync(await tarOf([configText, ...entries]))
}

/** A tar.gz whose `config.yml` says this. */
export async function configOf(content: string | Uint8Array): Promise<Buffer> {
  return gzipSync(await tarOf([{ name: 'config.yml', content }]))
}

/** What a header block made by hand may say; tar-stream refuses to write most of what is tested. */
export interface RawHeader {
  readonly name: string | Uint8Array
  readonly type?: string
  /** Claimed size; a string is written as it is. */
  readonly size?: number | string
  readonly magic?: string
  readonly checksum?: number
}

/** One header block. */
export function rawHeader({ name, type = '0', size = 0, magic = 'ustar\x0000', checksum }: RawHeader): Buffer {
  const block = Buffer.alloc(512)
  Buffer.from(name).copy(block, 0)
  block.write('0000644\x000000000\x000000000\x00', 100, 'latin1')
  block.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124, 'latin1')
  block.write('00000000000\x00', 136, 'latin1')
  block.write(type, 156, 'latin1')
  block.write(magic, 257, 'latin1')
  block.fill(' ', 148, 156)
  const sum = checksum ?? block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1')
  return block
}

/** A header block, its content, and the zeros that fill the last block. */
export function rawEntry(header: RawHeader, content: string | Uint8Array = ''): Buffer {
  const bytes = Buffer.from(content)
  const padding = Buffer.alloc((512 - (bytes.length % 512)) % 512)
  return Buffer.concat([rawHeader({ size: bytes.length, ...header }), bytes, padding])
}

/** A pax record: its length counts its own digits. */
export function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = Buffer.byteLength(rest)
  const length = bytes + String(bytes + String(bytes).length).length
  return `${length}${rest}`
}

/** The two blocks that end a tar. */
export const endBlocks = Buffer.alloc(1024)

/** A good config.yml as raw blocks. */
export const rawConfigText = rawEntry({ name: 'config.yml' }, configText.content)

/** A tar.gz of raw pieces between a good config.yml and the end mark. */
export function rawBundle(...pieces: readonly Uint8Array[]): Buffer {
  return gzipSync(Buffer.concat([rawConfigText, ...pieces, endBlocks]))
}

/** How a bundle is refused: `Name: message`; an error that no caller caused fails the test. */
export async function refusal(archive: Parameters<typeof inspectBundle>[1]): Promise<string> {
  try {
    const { files } = await inspectBundle('somebody', archive)
    return `accepted: ${files.map(({ path }) => path).join(' ')}`
  } catch (error) {
    if (!(error instanceof CallerError)) throw error
    return `${error.name}: ${error.message}`
  }
}

/** The refusal of one file for one reason. */
export function invalid(file: string, reason: string): string {
  return `ValidationError: input.archive: ${file}: ${reason}`
}

/** The refusal of the archive as such. */
export function invalidArchive(reason: string): string {
  return `ValidationError: input.archive: the archive ${reason}`
}
