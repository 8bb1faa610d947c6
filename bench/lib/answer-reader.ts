/** One answer of a server. */
export interface Answer {
  readonly status: number
  /** Whether the server closes the connection after this answer. */
  readonly closes: boolean
  readonly head: string
  readonly body: Buffer
}

/**
 * Reads the answers of one HTTP/1.1 connection in sequence (no pipelining): only as much of RFC 9112 as the measured
 * servers use, so that the load costs less than what it measures.
 */
export class AnswerReader {
  #pending: Buffer[] = []
  #size = 0
  /** Of the answer that is being read: its head, and where the body begins and ends; -1 for chunks. */
  #head: { text: string; bodyStart: number; end: number } | null = null

  /** Takes received bytes; returns the answer when it is complete. */
  take(chunk: Buffer): Answer | null {
    this.#pending.push(chunk)
    this.#size += chunk.length
    this.#head ??= this.#readHead()
    if (!this.#head) return null
    const { text, bodyStart, end } = this.#head
    if (end < 0 ? !endsWith(this.#pending, lastChunk) : this.#size < end) return null
    const all = this.#whole()
    this.#pending = []
    this.#size = 0
    this.#head = null
    const rest = all.subarray(bodyStart)
    const body = end < 0 ? unchunked(rest) : rest
    return { status: Number(text.slice(9, 12)), closes: /\r\nconnection: close/i.test(text), head: text, body }
  }

  #readHead() {
    const all = this.#whole()
    const at = all.indexOf('\r\n\r\n')
    if (at < 0) return null
    const text = all.toString('latin1', 0, at)
    const bodyStart = at + 4
    const status = text.slice(9, 12)
    if (status === '304' || status === '204') return { text, bodyStart, end: bodyStart }
    const length = /\r\ncontent-length: *(\d+)/i.exec(text)?.[1]
    return { text, bodyStart, end: length === undefined ? -1 : bodyStart + Number(length) }
  }

  #whole(): Buffer {
    const [only] = this.#pending
    const all = this.#pending.length === 1 && only ? only : Buffer.concat(this.#pending)
    this.#pending = [all]
    return all
  }
}

const lastChunk = Buffer.from('0\r\n\r\n')

function endsWith(parts: readonly Buffer[], end: Buffer): boolean {
  const tail = Buffer.concat(parts.slice(-2)).subarray(-end.length)
  return tail.equals(end)
}

function unchunked(bytes: Buffer): Buffer {
  const chunks: Buffer[] = []
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf('\r\n', at)
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16)
    if (!(size > 0)) break
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size))
    at = lineEnd + 2 + size + 2
  }
  return Buffer.concat(chunks)
}
