const [other, character, between, escape] = [0, 1, 2, 3]

/**
 * The kind of each byte: base64 in either alphabet (RFC 4648), or a character that folds or indents it, also in UTF-16.
 */
const characterKinds = new Uint8Array(256).fill(other)
const name = (characters: string, kind: number) => {
  for (const byte of Buffer.from(characters)) characterKinds[byte] = kind
}
name('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_', character)
name(' \t\n\v\f\r\0', between)
name('\\', escape)

/** The letters after a backslash that end a line in JSON and in source code. */
const escapedCharacters = new Set(Buffer.from('nrt'))

/** The bytes that may be base64, joined. */
export interface Base64 {
  readonly characters: string
  /** The position of the n-th character in the bytes. */
  readonly placeOf: (n: number) => number
}

/**
 * Finds possible base64 in bytes, over any number of lines, indented, commented out or quoted. Plain words match too,
 * but decode to nothing of interest. Takes a step or two for each byte.
 * @param shortest minimum length of a piece in bytes
 */
export function base64In(bytes: Uint8Array, shortest: number): Base64 {
  const pieces = piecesOf(bytes, shortest)
  const characters = Buffer.allocUnsafe(bytes.length)
  const length = read(bytes, pieces, (at, n) => {
    characters[n] = bytes[at] ?? 0
  })
  return {
    characters: characters.toString('latin1', 0, length),
    placeOf: (wanted) => {
      let place = bytes.length
      read(bytes, pieces, (at, n) => {
        if (n === wanted) place = at
      })
      return place
    },
  }
}

interface Piece {
  readonly start: number
  readonly end: number
}

function piecesOf(bytes: Uint8Array, shortest: number): Piece[] {
  const pieces: Piece[] = []
  const isInside = (at: number) => characterKinds[bytes[at] ?? -1] !== other
  let before = 0
  // A piece covers at least one of every `shortest` bytes, so most bytes of an image are skipped.
  for (let at = shortest - 1; at < bytes.length; at += shortest) {
    if (!isInside(at)) continue
    let start = at
    while (start > before && isInside(start - 1)) start -= 1
    let end = at + 1
    while (end < bytes.length && isInside(end)) end += 1
    if (end - start >= shortest) pieces.push({ start, end })
    before = end
    at = end
  }
  return pieces
}

/** Reports the position and index of each character; returns how many there are. */
function read(bytes: Uint8Array, pieces: readonly Piece[], take: (at: number, n: number) => void): number {
  let n = 0
  for (const { start, end } of pieces) {
    for (let at = start; at < end; at += 1) {
      const kind = characterKinds[bytes[at] ?? 0]
      if (kind === character) {
        take(at, n)
        n += 1
      } else if (kind === escape && escapedCharacters.has(bytes[at + 1] ?? 0)) at += 1
    }
  }
  return n
}
