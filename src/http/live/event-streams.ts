import type { ServerResponse } from 'node:http'

import type { FinishedAnswer, Frames } from '../pipeline/answer.ts'
import { completeFrame, pingFrame } from './event-frames.ts'

/** Ticks of the wheel between two pings on an idle stream; agents give up on a stream after a silent minute. */
const slots = 12
/** Pings that a reader may leave unread: a minute of them. */
const mostUnread = 5

/**
 * Writes server-sent events to sockets. A stream holds no more than its socket's buffer: until the reader has taken
 * that, no further event is made for it, and a reader that takes nothing for a minute is cut off. One timer serves all
 * streams, a twelfth of them at a time.
 */
export class EventStreams {
  readonly #wheel = Array.from({ length: slots }, () => new Set<EventStream>())
  readonly #tickEvery: number
  #next = 0
  #at = 0
  #timer: NodeJS.Timeout | undefined

  /** @param tickEvery milliseconds */
  constructor(tickEvery = 1000) {
    this.#tickEvery = tickEvery
  }

  /** Writes the answer's head, then each frame, then the `complete` event. */
  open(response: ServerResponse, { status, head }: Pick<FinishedAnswer, 'status' | 'head'>, frames: Frames): void {
    // The reader has left already, and the response does not emit `close` again.
    if (response.closed) {
      void frames.end()
      return
    }
    this.#next = (this.#next + 1) % slots
    const slot = this.#wheel[this.#next]
    const stream = new EventStream(response, frames)
    slot?.add(stream)
    this.#timer ??= setInterval(() => this.#tick(), this.#tickEvery).unref()
    response.once('close', () => {
      slot?.delete(stream)
      if (this.#wheel.every(({ size }) => size === 0)) {
        clearInterval(this.#timer)
        this.#timer = undefined
      }
      void stream.closed()
    })
    // A broken connection is also reported as closed.
    response.on('error', ignored)
    response.socket?.setTimeout(0).setKeepAlive(true).setNoDelay(true)
    response.writeHead(status, head as string[])
    void stream.run()
  }

  #tick(): void {
    this.#at = (this.#at + 1) % slots
    for (const stream of this.#wheel[this.#at] ?? []) stream.ping()
  }
}

const ignored = () => undefined

class EventStream {
  readonly #response: ServerResponse
  readonly #frames: Frames
  #isFull = false
  #unread = 0
  #goOn: (() => void) | null = null

  constructor(response: ServerResponse, frames: Frames) {
    this.#response = response
    this.#frames = frames
  }

  async run(): Promise<void> {
    // Some browsers do not report that the answer has begun before its first bytes arrive.
    this.#response.write(pingFrame)
    for (let frame = await this.#frames.next(); frame; frame = await this.#frames.next()) {
      if (this.#response.destroyed) return
      if (!this.#response.write(frame)) await this.#drained()
    }
    this.#response.end(completeFrame)
  }

  async closed(): Promise<void> {
    this.#goOn?.()
    await this.#frames.end()
  }

  ping(): void {
    if (!this.#isFull) this.#response.write(pingFrame)
    else if ((this.#unread += 1) >= mostUnread) this.#response.destroy()
  }

  async #drained(): Promise<void> {
    this.#isFull = true
    await new Promise<void>((resolve) => {
      this.#goOn = resolve
      this.#response.once('drain', resolve)
    })
    this.#isFull = false
    this.#unread = 0
  }
}
