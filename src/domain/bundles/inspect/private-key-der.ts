/** The header of an element: where its content begins and ends; an indefinite length (BER) has no end. */
interface Element {
  readonly start: number
  readonly end: number
}

const [SEQUENCE, INTEGER, OCTETS, OID] = [0x30, 0x02, 0x04, 0x06]

/**
 * Finds where a private key begins, given the place of its version: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017) and
 * OpenSSL's DSA, SEC 1 (RFC 5915), PKCS #12 (RFC 7292). Structures in certificates, requests and revocation lists begin
 * alike and continue differently.
 * @param bytes one character per byte
 * @param at the place of the version: an INTEGER of one byte
 * @returns null when there is no key, or too little of it to decide
 */
export function keyAround(bytes: string, at: number): number | null {
  const version = bytes.charCodeAt(at + 2)
  return sequenceBefore(bytes, at, ({ end }) => {
    const next = bytes.charCodeAt(at + 3)
    if (next === SEQUENCE) return version === 3 ? isPkcs12(bytes, at + 3) : isPkcs8(bytes, at + 3, end)
    if (version === 3) return false
    return next === INTEGER ? isOfIntegers(bytes, at + 3, end) : version === 1 && isSec1(bytes, at + 3, end)
  })
}

/**
 * The same for an encrypted key (PKCS #8, EncryptedPrivateKeyInfo).
 * @param at the place of the OBJECT IDENTIFIER of the password-based encryption
 */
export const encryptedKeyAround = (bytes: string, at: number): number | null =>
  sequenceBefore(bytes, at, (algorithm, head) => {
    const isFollowed = bytes.charCodeAt(algorithm.end) === OCTETS
    return isFollowed && sequenceBefore(bytes, head, ({ end }) => fits(elementAt(bytes, algorithm.end), end)) !== null
  })

/** The longest header of a SEQUENCE that is read here: its tag and a length in four bytes. */
const longestHead = 6

/** Finds the start of the SEQUENCE with its content at `at`, if `holds` accepts it; its header may have any length. */
function sequenceBefore(bytes: string, at: number, holds: (sequence: Element, head: number) => boolean): number | null {
  for (let head = at - 2; head >= Math.max(0, at - longestHead); head -= 1) {
    if (bytes.charCodeAt(head) !== SEQUENCE) continue
    const sequence = elementAt(bytes, head)
    if (sequence?.start === at && holds(sequence, head)) return head
  }
  return null
}

function elementAt(bytes: string, at: number): Element | null {
  const first = bytes.charCodeAt(at + 1)
  if (first < 0x80) return { start: at + 2, end: at + 2 + first }
  if (first === 0x80) return { start: at + 2, end: Infinity }
  const count = first - 0x80
  // Also true past the end of the bytes, where the count is NaN.
  if (!(count <= longestHead - 2)) return null
  let length = 0
  for (let index = 0; index < count; index += 1) length = length * 256 + bytes.charCodeAt(at + 2 + index)
  return Number.isNaN(length) ? null : { start: at + 2 + count, end: at + 2 + count + length }
}

const fits = (element: Element | null, end: number): element is Element => element !== null && element.end <= end

/** After the version: SEQUENCE { OBJECT IDENTIFIER, … }, OCTET STRING. */
function isPkcs8(bytes: string, at: number, end: number): boolean {
  const algorithm = elementAt(bytes, at)
  if (!fits(algorithm, end) || bytes.charCodeAt(algorithm.start) !== OID) return false
  return bytes.charCodeAt(algorithm.end) === OCTETS && fits(elementAt(bytes, algorithm.end), end)
}

/** 1.2.840.113549.1.7.1 and .2: a PKCS #12 file contains data, or signed data. */
const contents = /^\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07[\x01\x02]/

/** After the version: SEQUENCE { OBJECT IDENTIFIER of the kind of content, … }. */
function isPkcs12(bytes: string, at: number): boolean {
  const content = elementAt(bytes, at)
  return content !== null && contents.test(bytes.slice(content.start, content.start + 11))
}

/** In bytes: a modulus of 256 bits, and one of 16 384 bits, which is OpenSSL's maximum. */
const [shortestNumber, longestNumber] = [32, 2049]

/** After the version: large INTEGERs, RSA's modulus and exponents or DSA's p, q, g, y and x. */
function isOfIntegers(bytes: string, at: number, end: number): boolean {
  const first = elementAt(bytes, at)
  if (!fits(first, end)) return false
  const length = first.end - first.start
  if (length < shortestNumber || length > longestNumber) return false
  return bytes.charCodeAt(first.end) === INTEGER && fits(elementAt(bytes, first.end), end)
}

/** After the version: OCTET STRING, then the curve ([0]), the public key ([1]), or nothing. */
function isSec1(bytes: string, at: number, end: number): boolean {
  const key = elementAt(bytes, at)
  // From secp112r1 to sect571r1, in bytes.
  if (!fits(key, end) || key.end - key.start < 14 || key.end - key.start > 72) return false
  const next = bytes.charCodeAt(key.end)
  return key.end === end ? key.end <= bytes.length : next === 0xa0 || next === 0xa1
}
