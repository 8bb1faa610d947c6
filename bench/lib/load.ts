import { connect, type Socket } from 'node:net'

import { AnswerReader, type Answer } from './answer-reader.ts'

/** The requests to send, and how to recognise a correct answer. */
export interface Traffic {
  /** All connections share them in turn, and start again after the last. */
  readonly requests: readonly Buffer[]
  readonly expectedStatus: number
  /** A body with this text is a failure despite a good status; null where there is no such text. */
  readonly failureMark: string | null
}

export interface LoadResult {
  readonly requests: number
  readonly failures: number
  readonly seconds: number
  /** Milliseconds, unsorted. */
  readonly latencies: readonly number[]
  /** A failed answer; null when there was none. */
  readonly example: string | null
}

/** Sends one request over a connection of its own. */
export async function ask(port: number, request: Buffer): Promise<Answer> {
  const socket = await open(port)
  const reader = new AnswerReader()
  try {
    return await new Promise<Answer>((resolve, reject) => {
      socket.on('data', (chunk) => {
        const answer = reader.take(chunk)
        if (answer) resolve(answer)
      })
      socket.once('close', () => reject(new Error('the server closed the connection without an answer')))
      socket.write(request)
    })
  } finally {
    socket.destroy()
  }
}

/** Keeps requests in flight: each connection sends its next request when it has the answer. */
export class Load {
  readonly #port: number
  readonly #traffic: Traffic
  #sockets: { socket: Socket; reader: AnswerReader }[] = []
  /** The first request was sent earlier, to see whether the server supports it at all. */
  #next = 1

  constructor(port: number, traffic: Traffic) {
    this.#port = port
    this.#traffic = traffic
  }

  /** Opens the connections of the next run, if opening them is not to be measured. */
  async open(connections: number): Promise<void> {
    this.close()
    const sockets = await Promise.all(Array.from({ length: connections }, () => open(this.#port)))
    this.#sockets = sockets.map((socket) => ({ socket, reader: new AnswerReader() }))
  }

  /**
   * Keeps a request in flight on each of `connections` for `seconds`. The connections are closed afterwards: a server
   * may close idle ones, which would go unnoticed while other servers are measured.
   * @param most requests; without it, as many as there is time for
   */
  async run(connections: number, seconds: number, most = Infinity): Promise<LoadResult> {
    if (this.#sockets.length !== connections) await this.open(connections)
    const latencies: number[] = []
    let sent = 0
    let failures = 0
    let example: string | null = null
    const start = performance.now()
    const end = start + seconds * 1000
    const one = ({ socket, reader }: { socket: Socket; reader: AnswerReader }) =>
      new Promise<void>((resolve, reject) => {
        let sentAt = 0
        const send = () => {
          sent += 1
          sentAt = performance.now()
          socket.write(this.#nextRequest())
        }
        const finish = () => {
          socket.off('data', onData).off('close', onClose)
          resolve()
        }
        const onClose = () => reject(new Error('the server closed a connection under load'))
        const onData = (chunk: Buffer) => {
          const answer = reader.take(chunk)
          if (!answer) return
          const now = performance.now()
          latencies.push(now - sentAt)
          if (this.#isFailure(answer)) {
            failures += 1
            example ??= `${answer.head.split('\r\n', 1).join('')} ${answer.body.toString('utf8', 0, 500)}`
          }
          if (now < end && sent < most) send()
          else finish()
        }
        socket.on('data', onData).once('close', onClose)
        send()
      })
    await Promise.all(this.#sockets.map(one))
    this.close()
    const took = (performance.now() - start) / 1000
    return { requests: latencies.length, failures, seconds: took, latencies, example }
  }

  close(): void {
    for (const { socket } of this.#sockets) socket.destroy()
    this.#sockets = []
  }

  #nextRequest(): Buffer {
    const { requests } = this.#traffic
    const request = requests[this.#next % requests.length]
    this.#next += 1
    if (!request) throw new Error('there is nothing to send')
    return request
  }

  #isFailure({ status, body }: Answer): boolean {
    const { expectedStatus, failureMark } = this.#traffic
    return status !== expectedStatus || (failureMark !== null && body.includes(failureMark))
  }
}

async function open(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  // A later error shows as a closed connection.
  socket.on('error', () => undefined)
  return socket
}
