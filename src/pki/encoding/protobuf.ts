import type { PkiError } from '../errors.ts'

/**
 * Protocol Buffers' wire format (protobuf.dev/programming-guides/encoding), as far as Nebula's messages need it:
 * varints and length-delimited fields, written in the order of the field numbers, with empty values left out as proto3
 * requires. Written by hand because a signature covers the bytes: there must be one way to encode a value, and it must
 * be that of Go's library.
 */
export class ProtobufWriter {
  readonly #bytes: number[] = []

  /** A number that is not negative and at most 2⁵³−1; a zero is left out. */
  varint(field: number, value: number): this {
    if (value !== 0) {
      this.#varint(field * 8)
      this.#varint(value)
    }
    return this
  }

  bytes(field: number, value: Uint8Array): this {
    return value.length === 0 ? this : this.message(field, value)
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value))
  }

  /** A message, or one element of a repeated field: written even when it is empty. */
  message(field: number, value: Uint8Array): this {
    this.#varint(field * 8 + 2)
    this.#varint(value.length)
    for (const byte of value) this.#bytes.push(byte)
    return this
  }

  /** A repeated number, packed. */
  packed(field: number, values: readonly number[]): this {
    const inner = new ProtobufWriter()
    for (const value of values) inner.#varint(value)
    return this.bytes(field, inner.finish())
  }

  finish(): Uint8Array {
    return Uint8Array.from(this.#bytes)
  }

  #varint(value: number): void {
    let rest = value
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.#bytes.push((rest % 0x80) + 0x80)
    this.#bytes.push(rest)
  }
}

/** One field of a message: its number, and the value of its wire type. */
export type ProtobufField =
  | { readonly number: number; readonly type: 'varint'; readonly value: number }
  | { readonly number: number; readonly type: 'bytes'; readonly value: Uint8Array }

/** Reads the fields of a message in their order; for malformed bytes, throws the PkiError that `fail` makes. */
export function* readProtobuf(bytes: Uint8Array, fail: (problem: string) => PkiError): Generator<ProtobufField> {
  const reader = new VarintReader(bytes, fail)
  while (!reader.done) {
    const key = reader.next()
    const number = Math.floor(key / 8)
    if (key % 8 === 0) yield { number, type: 'varint', value: reader.next() }
    else if (key % 8 === 2) yield { number, type: 'bytes', value: reader.take(reader.next()) }
    else throw fail(`field ${number} has a wire type that Nebula does not use`)
  }
}

/** Reads packed numbers. */
export function readPacked(bytes: Uint8Array, fail: (problem: string) => PkiError): number[] {
  const reader = new VarintReader(bytes, fail)
  const values: number[] = []
  while (!reader.done) values.push(reader.next())
  return values
}

class VarintReader {
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

  next(): number {
    let value = 0
    for (let factor = 1; ; factor *= 0x80) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw this.#fail('it ends in the middle of a number')
      // Past 2⁵³ the sum is not a safe integer any more, past 2¹⁰²³ not a number: both end the loop.
      value += (byte % 0x80) * factor
      if (!Number.isSafeInteger(value)) throw this.#fail('a number is negative or too large')
      if (byte < 0x80) return value
    }
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw this.#fail('it is cut off')
    return this.#bytes.subarray(this.#at, (this.#at += length))
  }
}
