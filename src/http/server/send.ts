import type { ServerResponse } from 'node:http'

import type { FinishedAnswer } from '../pipeline/answer.ts'
import type { EventStreams } from '../live/event-streams.ts'

/** Parts with at most this many bytes in all are joined: that costs less than another write. */
const joined = 16 * 1024

/** Writes an answer to its socket. */
export function send(response: ServerResponse, answer: FinishedAnswer, streams: EventStreams): void {
  const { status, head, parts, length } = answer
  if ('next' in parts) {
    streams.open(response, answer, parts)
    return
  }
  // The client has left.
  if (response.destroyed) return
  response.writeHead(status, head as string[])
  if (parts.length > 1 && length !== null && length <= joined) {
    response.end(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))))
    return
  }
  for (let at = 0; at < parts.length - 1; at += 1) response.write(parts[at])
  response.end(parts.at(-1))
}
