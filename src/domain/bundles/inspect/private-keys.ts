import { base64In } from './base64.ts'
import { encryptedKeyAround, keyAround } from './private-key-der.ts'

/**
 * The line that begins a private key of any kind: PKCS#8, encrypted, RSA, EC, OPENSSH, PGP's `… KEY BLOCK`, and
 * Nebula's `NEBULA X25519 PRIVATE KEY`, `NEBULA ED25519 ENCRYPTED PRIVATE KEY` and so on (RFC 7468; Nebula cert/pem.go).
 */
const keyLine = /-----BEGIN [A-Z0-9 ]{0,64}PRIVATE KEY(?: BLOCK)?-----/g

/**
 * Windows programs often write UTF-16: a zero after each character, or before it in the big-endian form, which has the
 * same bytes shifted by one.
 */
const keyLineUtf16 = /-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0 \0(?:[A-Z0-9 ]\0){0,64}?P\0R\0I\0V\0A\0T\0E\0 \0K\0E\0Y\0/g

/** Beginnings of private keys, each sufficient by itself. Separate searches are faster than one for all. */
const keyMarks = [
  keyLine,
  keyLineUtf16,
  // OpenSSH (PROTOCOL.key), PuTTY, and SSH2 as commercial servers write it.
  /openssh-key-v1\0/g,
  /PuTTY-User-Key-File-\d: /g,
  /---- BEGIN SSH2 ENCRYPTED PRIVATE KEY/g,
  // An encrypted CA key of nebula-cert: protobuf, field 1 the algorithm, field 2 its parameters (cert/crypto.go).
  /\n\x0bAES-256-GCM\x12/g,
  // Microsoft's key blobs and PVK files, which OpenSSL reads.
  /\x07\x02\0\0\0[\x22\x24\xa4]\0\0(?:RSA2|DSS2)/g,
  /\x1e\xf1\xb5\xb0\0\0\0\0[\x01\x02]\0\0\0[\0\x01]\0\0\0/g,
]

/** In DER, the version of a key and the tag that may follow it: an INTEGER of 0, 1 or 3. */
const keyVersion = /\x02\x01[\0\x01\x03][\x02\x040]/g
/** In DER, the password-based encryption of a key: 1.2.840.113549.1.5 (PKCS #5) or 1.2.840.113549.1.12.1 (PKCS #12). */
const encryptionOid = /\x06[\x09\x0a]\x2a\x86\x48\x86\xf7\x0d\x01(?:\x05|\x0c\x01)/g

/** No key is shorter: its length in bytes, and in base64. */
const shortestKey = '-----BEGIN PRIVATE KEY-----'.length
const shortestEncodedKey = (shortestKey * 4) / 3

/** Minimum length of a piece of base64 between other characters, in bytes: half of a line of PEM. */
const shortestPiece = 32

/**
 * Whether a text holds a private key, plain or in base64. docs/security.md says which kinds are found and which are
 * not.
 */
export function holdsPrivateKey(text: string): boolean {
  return text.length >= shortestKey && placeOf(Buffer.from(text)) !== null
}

/** Bytes of the previous chunk that are searched again: longer than a key's beginning, folded into short lines. */
const tailSize = 8192

/** Looks for private keys in bytes that arrive in pieces, also across the border of two pieces. */
export class PrivateKeyScanner {
  #tail: Buffer = Buffer.alloc(0)
  #read = 0

  /** Takes the next bytes; returns the offset of a private key from the very start, or null. */
  push(chunk: Uint8Array): number | null {
    const window = Buffer.concat([this.#tail, chunk])
    const start = this.#read - this.#tail.length
    this.#read += chunk.byteLength
    this.#tail = window.subarray(Math.max(0, window.length - tailSize))
    const place = placeOf(window)
    return place === null ? null : start + place
  }
}

/** Where a private key begins in bytes. */
const placeOf = (bytes: Buffer): number | null => plainPlace(bytes.toString('latin1')) ?? encodedPlace(bytes)

function plainPlace(text: string): number | null {
  for (const mark of keyMarks) {
    const at = text.search(mark)
    if (at !== -1) return at
  }
  return structureAt(text, keyVersion, keyAround) ?? structureAt(text, encryptionOid, encryptedKeyAround)
}

function structureAt(text: string, sign: RegExp, around: typeof keyAround): number | null {
  for (const { index } of text.matchAll(sign)) {
    const place = around(text, index)
    if (place !== null) return place
  }
  return null
}

function encodedPlace(bytes: Buffer): number | null {
  const { characters, placeOf } = base64In(bytes, shortestPiece)
  if (characters.length < shortestEncodedKey) return null
  // Preceding characters may have shifted it to any of the four positions of a base64 group.
  const shifts = [0, 1, 2, 3].map((shift) => Buffer.from(characters.slice(shift), 'base64').toString('latin1'))
  const decoded = shifts.join('')
  const place = plainPlace(decoded)
  if (place === null) return null
  let [shift, before] = [0, 0]
  for (const { length } of shifts) {
    if (place < before + length) break
    before += length
    shift += 1
  }
  return placeOf(shift + Math.floor(((place - before) * 4) / 3))
}
