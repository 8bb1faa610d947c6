import { Busboy, type BusboyFileStream, type BusboyInstance } from '@fastify/busboy'

import type { SpooledFile } from '../../base/limits/spool.ts'
import { countedChunks } from '../pipeline/body.ts'
import type { Incoming } from '../pipeline/incoming.ts'
import { badRequest, refused } from '../pipeline/refusals.ts'

export interface FormLimits {
  /** Largest sizes in bytes: of the whole form, of one field and of the one file. */
  readonly form: number
  readonly field: number
  readonly file: number
}

export interface Form {
  readonly fields: ReadonlyMap<string, string>
  /** The name of the field with the file; null if there is no file. */
  readonly fileField: string | null
}

/** More parts and larger part headers than an operation with its map and its file needs. */
const partLimits = { fields: 2, files: 1, parts: 3, headerPairs: 20, headerSize: 8192 }

/**
 * Reads a multipart form (RFC 7578) with texts and at most one file as it arrives. The fields are not parsed, and the
 * file is never in memory as a whole.
 * @param content receives the file's bytes
 * @throws GraphQLError with status 400, or 413 as soon as a limit is exceeded; the rest is left unread
 */
export async function readForm(request: Incoming, limits: FormLimits, content: SpooledFile): Promise<Form> {
  const parser = parserOf(request, limits)
  const reading = new FormReading(parser, limits, content)
  try {
    for await (const chunk of countedChunks(request, limits.form)) await reading.take(chunk)
    return await reading.end()
  } finally {
    reading.stop()
  }
}

function parserOf({ headers: given }: Incoming, { field, file }: FormLimits): BusboyInstance {
  const headers = { 'content-type': given['content-type'] ?? '' }
  try {
    return new Busboy({ headers, limits: { ...partLimits, fieldSize: field, fileSize: file } })
  } catch {
    // The header names no boundary.
    throw noForm()
  }
}

// The parser's own messages are of no more help.
const noForm = () => badRequest('The body is no multipart form.')

/** The state of reading a form. */
class FormReading {
  readonly #parser: BusboyInstance
  readonly #fields = new Map<string, string>()
  #fileField: string | null = null
  #file: BusboyFileStream | null = null
  #writing: Promise<void> = Promise.resolve()
  /** Rejects with the first problem; never resolves. */
  readonly #problem: Promise<never>
  readonly #ended: Promise<void>

  constructor(parser: BusboyInstance, limits: FormLimits, content: SpooledFile) {
    this.#parser = parser
    let refuse: (reason: unknown) => void = () => undefined
    this.#problem = new Promise((_resolve, reject) => (refuse = reject))
    // The races below handle a rejection; one outside of them must not end the process.
    this.#problem.catch(() => undefined)
    this.#ended = new Promise((resolve) => parser.once('finish', resolve))
    parser.on('field', (name, value, _isNameCut, isCut) => {
      if (isCut) refuse(refused(413, 'PAYLOAD_TOO_LARGE', `A field may have at most ${limits.field} bytes.`))
      if (this.#fields.has(name)) refuse(badRequest('A field is there twice.'))
      this.#fields.set(name, value)
    })
    parser.on('file', (name, file) => {
      file.on('error', () => refuse(noForm()))
      file.once('limit', () => {
        refuse(refused(413, 'PAYLOAD_TOO_LARGE', `The file may have at most ${limits.file} bytes.`))
      })
      this.#fileField = name
      this.#file = file
      this.#writing = write(file, content)
      this.#writing.catch(refuse)
    })
    const tooMany = () => refuse(badRequest('A form has the fields `operations` and `map`, and exactly one file.'))
    parser.once('partsLimit', tooMany).once('filesLimit', tooMany).once('fieldsLimit', tooMany)
    // A permanent listener: the parser may emit several errors, and one without a listener would end the process.
    parser.on('error', () => refuse(noForm()))
  }

  async take(chunk: Uint8Array): Promise<void> {
    // The parser calls back when it can take more, i.e. when the file's bytes have been written.
    await Promise.race([this.#problem, new Promise<void>((resolve) => this.#parser.write(chunk, () => resolve()))])
  }

  async end(): Promise<Form> {
    this.#parser.end()
    await Promise.race([this.#problem, this.#ended])
    await Promise.race([this.#problem, this.#writing])
    return { fields: this.#fields, fileField: this.#fileField }
  }

  stop(): void {
    this.#file?.destroy()
    this.#parser.destroy()
  }
}

async function write(file: BusboyFileStream, content: SpooledFile): Promise<void> {
  for await (const chunk of file as AsyncIterable<Uint8Array>) await content.write(chunk)
}
