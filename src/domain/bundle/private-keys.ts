/**
 * The line that begins a private key, whatever its kind: PKCS#8, encrypted, RSA, EC, OPENSSH, PGP's `… KEY BLOCK`, and
 * Nebula's `NEBULA X25519 PRIVATE KEY`, `NEBULA ED25519 ENCRYPTED PRIVATE KEY` and so on (RFC 7468; Nebula cert/pem.go).
 */
const BEGIN = '-----BEGIN '
const LABEL = '[A-Z0-9 ]{0,64}PRIVATE KEY(?: BLOCK)?-----'
const AT_START = new RegExp(`^${BEGIN}${LABEL}`)
const ANYWHERE = new RegExp(`${BEGIN}${LABEL}`)

/** Bytes that such a line can have: its longest label, two bytes a character. */
const LONGEST = 2 * (BEGIN.length + 64 + 'PRIVATE KEY BLOCK-----'.length)

/** Windows writes text as UTF-16 where one does not look; the big-endian kind has the same bytes, shifted by one. */
const NEEDLES = [Buffer.from(BEGIN, 'latin1'), Buffer.from(BEGIN, 'utf16le')]

/** Whether a text holds a private key. */
export function holdsPrivateKey(text: string): boolean {
  return ANYWHERE.test(text)
}

/** Looks for private keys in bytes that arrive in pieces; one that is cut in two by them is found too. */
export class PrivateKeyScanner {
  #tail: Buffer = Buffer.alloc(0)
  #read = 0

  /** Takes the next bytes; answers how many bytes from the very start a private key begins, or null. */
  push(chunk: Uint8Array): number | null {
    const window = Buffer.concat([this.#tail, chunk])
    const start = this.#read - this.#tail.length
    this.#read += chunk.byteLength
    this.#tail = window.subarray(Math.max(0, window.length - LONGEST))
    for (const needle of NEEDLES) {
      for (let at = window.indexOf(needle); at !== -1; at = window.indexOf(needle, at + 1)) {
        const line = window.toString('latin1', at, at + LONGEST).replaceAll('\0', '')
        if (AT_START.test(line)) return start + at
      }
    }
    return null
  }
}
