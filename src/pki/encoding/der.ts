import type { PkiError } from '../errors.ts'

/**
 * The part of DER (ITU-T X.690, the distinguished encoding rules) that Nebula's version 2 certificates need: elements
 * of one-byte tags with definite lengths, and integers that are not negative.
 */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content])
}

/** A number from 0 to 2⁵³−1 in as few bytes as its sign allows. */
export function derInteger(tag: number, value: number): Uint8Array {
  const bytes = bigEndian(value)
  return derElement(tag, Uint8Array.from((bytes[0] ?? 0) >= 0x80 ? [0, ...bytes] : bytes))
}

function lengthBytes(length: number): number[] {
  if (length < 0x80) return [length]
  const bytes = bigEndian(length)
  return [0x80 + bytes.length, ...bytes]
}

function bigEndian(value: number): number[] {
  const bytes: number[] = []
  for (let rest = value; rest > 0 || bytes.length === 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return bytes
}

/** Reads elements one after the other; for malformed bytes, throws the PkiError that `fail` makes. */
export class DerReader {
  readonly #bytes: Uint8Array
  readonly #fail: (problem: string) => PkiError
  #at = 0

  constructor(bytes: Uint8Array, fail: (problem: string) => PkiError) {
    this.#bytes = bytes
    this.#fail = fail
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  /** The content of the next element, which must have this tag; `what` names it in the error. */
  read(tag: number, what: string): Uint8Array {
    if (this.#bytes[this.#at] !== tag) throw this.#fail(`it has no ${what} where one belongs`)
    this.#at += 1
    const length = this.#length()
    if (length > this.#bytes.length - this.#at) throw this.#fail('it is cut off')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }

  /** The content of the next element if it has this tag; empty otherwise. */
  readOptional(tag: number, what: string): Uint8Array {
    return this.#bytes[this.#at] === tag ? this.read(tag, what) : new Uint8Array()
  }

  /** The contents of all elements with this tag in the next element, if that is present. */
  readOptionalList(listTag: number, tag: number, what: string): Uint8Array[] {
    const list = new DerReader(this.readOptional(listTag, what), this.#fail)
    const contents: Uint8Array[] = []
    while (!list.done) contents.push(list.read(tag, what))
    return contents
  }

  readInteger(tag: number, what: string): number {
    const content = this.read(tag, what)
    const value = content.reduce((sum, byte) => sum * 256 + byte, 0)
    if (content.length === 0 || (content[0] ?? 0) >= 0x80 || !Number.isSafeInteger(value)) {
      throw this.#fail(`its ${what} is negative or too large`)
    }
    return value
  }

  /** @throws PkiError when more bytes follow */
  end(): void {
    if (!this.done) throw this.#fail('it holds something that this version of Orrery does not know')
  }

  #length(): number {
    const first = this.#next()
    if (first < 0x80) return first
    // A length of more than three bytes exceeds what a certificate may have.
    if (first === 0x80 || first > 0x83) throw this.#fail('a length is malformed')
    let length = 0
    for (let count = first - 0x80; count > 0; count -= 1) length = length * 256 + this.#next()
    return length
  }

  #next(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw this.#fail('it is cut off')
    return byte
  }
}
