import { randomUUID } from 'node:crypto'
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

import { UnavailableError } from '../errors.ts'
import { Faults, faultOfSystem } from '../faults.ts'
import { Places, type PlaceLimits } from './places.ts'

/** Bytes that are read from a file at a time. */
const pieceSize = 64 * 1024

export interface SpoolLimits extends Omit<PlaceLimits, 'retryAfterSeconds'> {
  /** Bytes of all uploads together that stay in memory. */
  readonly memory: number
}

/**
 * Keeps uploads while they arrive and wait for their turn: in memory as long as all of them together fit into its
 * share, in files beyond that.
 */
export class Spool {
  readonly #folder: string
  readonly #limits: SpoolLimits
  readonly #faults: Faults
  readonly #places: Places
  #memory = 0

  /** @param folder for the files; they are not visible there, and none remains when the process is killed */
  constructor(folder: string, limits: SpoolLimits, faults = new Faults()) {
    this.#folder = folder
    this.#limits = limits
    this.#faults = faults
    this.#places = new Places('uploads', { ...limits, retryAfterSeconds: 5 })
  }

  /** What is kept now, for tests: the uploads, and how many of their bytes are in memory. */
  get size(): { readonly uploads: number; readonly memory: number } {
    return { uploads: this.#places.size, memory: this.#memory }
  }

  /**
   * Makes room for an upload, which the caller closes.
   * @param owner of the upload, usually a tenant's id
   * @throws LimitError with seconds to wait, when there are too many
   */
  open(owner: string): SpooledFile {
    const leave = this.#places.take(owner)
    return new SpooledFile({
      reserve: (bytes) => {
        if (this.#memory + bytes > this.#limits.memory) return false
        this.#memory += bytes
        return true
      },
      release: (bytes) => {
        this.#memory -= bytes
      },
      openFile: () => this.#namingFaults(() => this.#openFile()),
      append: (file, chunk) => this.#namingFaults(() => file.appendFile(chunk)),
      leave,
    })
  }

  /** @throws UnavailableError when the disk is full, or no descriptor is left */
  async #namingFaults<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      const { code = '', message = '' } = cause as { code?: string; message?: string }
      const fault = faultOfSystem(code)
      if (!fault) throw cause
      this.#faults.note(fault, message)
      throw new UnavailableError(fault, { cause })
    }
  }

  /** A file without a name: it disappears when it is closed, for any reason. */
  async #openFile(): Promise<FileHandle> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const path = join(this.#folder, `upload-${randomUUID()}`)
    const file = await open(path, 'wx+', 0o600)
    await unlink(path)
    return file
  }
}

interface Room {
  /** Whether that many more bytes may be kept in memory. */
  readonly reserve: (bytes: number) => boolean
  readonly release: (bytes: number) => void
  readonly openFile: () => Promise<FileHandle>
  readonly append: (file: FileHandle, chunk: Uint8Array) => Promise<void>
  /** Frees the upload's place. */
  readonly leave: () => void
}

/** One upload: written once, then read any number of times. */
export class SpooledFile {
  readonly #room: Room
  #chunks: Uint8Array[] = []
  #inMemory = 0
  #file: FileHandle | null = null
  #size = 0

  constructor(room: Room) {
    this.#room = room
  }

  /** Bytes. */
  get size(): number {
    return this.#size
  }

  /** Appends bytes, one call after the other. @throws UnavailableError when they cannot be kept */
  async write(chunk: Uint8Array): Promise<void> {
    if (this.#file === null && this.#room.reserve(chunk.byteLength)) {
      this.#chunks.push(chunk)
      this.#inMemory += chunk.byteLength
    } else {
      await this.#room.append(await (this.#file ?? this.#moveToFile()), chunk)
    }
    this.#size += chunk.byteLength
  }

  /** From the beginning. */
  async *stream(): AsyncGenerator<Uint8Array, void> {
    if (this.#file === null) {
      yield* this.#chunks
      return
    }
    for (let at = 0; at < this.#size;) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.alloc(pieceSize), 0, pieceSize, at)
      if (bytesRead === 0) throw new Error('a spooled upload is shorter than what was written')
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  }

  /** Drops the upload; pending reads and writes fail. A second call does nothing. */
  async close(): Promise<void> {
    this.#forget()
    this.#room.leave()
    await this.#file?.close()
  }

  async #moveToFile(): Promise<FileHandle> {
    this.#file = await this.#room.openFile()
    for (const chunk of this.#chunks) await this.#room.append(this.#file, chunk)
    this.#forget()
    return this.#file
  }

  #forget(): void {
    this.#room.release(this.#inMemory)
    this.#chunks = []
    this.#inMemory = 0
  }
}
