import { PkiError, type PkiSubject } from '../errors.ts'

/** One block of a PEM file: what its first line names, and its bytes. */
export interface PemBlock {
  readonly banner: string
  readonly bytes: Uint8Array
}

const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]{1,64})-----$/
/** Nebula's MaxCertificateSize; keys are far smaller. */
const maximumBytes = 65_536

/**
 * Reads every block of a PEM text (RFC 7468, strictly). Between blocks, only blank lines and lines that start with `#`
 * are allowed, as in the files that people keep their CA certificates in.
 * @throws PkiError that names the line, and never repeats its content
 */
export function readPem(text: string, subject: PkiSubject): PemBlock[] {
  const blocks: PemBlock[] = []
  let open: { banner: string; base64: string } | null = null
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    const [, edge, banner = ''] = boundary.exec(line) ?? []
    if (open === null) {
      if (edge === 'BEGIN') open = { banner, base64: '' }
      else if (line !== '' && !line.startsWith('#')) throw at(index, 'is outside of a PEM block', subject)
    } else if (edge === undefined) {
      open.base64 += line
      if (open.base64.length > maximumBytes * 2) throw at(index, 'is more than a PEM block may hold', subject)
    } else {
      if (edge === 'BEGIN') throw at(index, `begins a block before the end of "${open.banner}"`, subject)
      if (banner !== open.banner) throw at(index, `ends "${banner}", but "${open.banner}" was begun`, subject)
      blocks.push({ banner, bytes: decode(open.base64, index, subject) })
      open = null
    }
  }
  if (open) throw new PkiError(subject, `the line "-----END ${open.banner}-----" is missing`)
  return blocks
}

/**
 * Reads a PEM text that must hold exactly one block.
 * @throws PkiError
 */
export function readPemBlock(text: string, subject: PkiSubject): PemBlock {
  const [block, ...more] = readPem(text, subject)
  if (!block) throw new PkiError(subject, 'is not in PEM form: a line "-----BEGIN NEBULA …-----" is missing')
  if (more.length > 0) throw new PkiError(subject, `holds ${more.length + 1} PEM blocks, one is wanted`)
  return block
}

/** Writes a block as nebula-cert (Go's encoding/pem) does: lines of 64 characters, a line break at the end. */
export function writePem({ banner, bytes }: PemBlock): string {
  const lines =
    Buffer.from(bytes)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return [`-----BEGIN ${banner}-----`, ...lines, `-----END ${banner}-----`, ''].join('\n')
}

function decode(base64: string, line: number, subject: PkiSubject): Uint8Array {
  const bytes = Buffer.from(base64, 'base64')
  // Node skips characters that are not base64; encoding it again shows whether any were skipped.
  if (bytes.toString('base64') !== base64) throw at(line, 'ends a block that is not valid base64', subject)
  if (bytes.length === 0 || bytes.length > maximumBytes) {
    throw at(line, `ends a block of ${bytes.length} bytes; 1 to ${maximumBytes} are allowed`, subject)
  }
  return bytes
}

const at = (index: number, problem: string, subject: PkiSubject) =>
  new PkiError(subject, `line ${index + 1} ${problem}`)
