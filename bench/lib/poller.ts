import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { AnswerReader } from './answer-reader.ts'

interface Poll {
  /** Milliseconds since the epoch. */
  readonly sent: number
  /** Milliseconds. */
  readonly took: number
}

/** Milliseconds between two requests. */
const pace = 5

/** Sends the same request repeatedly over one connection, slowly enough that the server can do its other work. */
export class Poller {
  readonly #port: number
  readonly #request: Buffer
  #isStopped = false

  constructor(port: number, request: Buffer) {
    this.#port = port
    this.#request = request
  }

  async run(): Promise<Poll[]> {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    const reader = new AnswerReader()
    const polls: Poll[] = []
    while (!this.#isStopped) {
      const begin = performance.now()
      await new Promise<void>((resolve, reject) => {
        const onClose = () => reject(new Error('the server closed the connection'))
        const onData = (chunk: Buffer) => {
          if (!reader.take(chunk)) return
          socket.off('data', onData).off('close', onClose)
          resolve()
        }
        socket.on('data', onData).once('close', onClose)
        socket.write(this.#request)
      })
      polls.push({ sent: performance.timeOrigin + begin, took: performance.now() - begin })
      await sleep(pace)
    }
    socket.destroy()
    return polls
  }

  stop(): void {
    this.#isStopped = true
  }
}
