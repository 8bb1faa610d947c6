import { connect, type Socket } from 'node:net'

import { requestBytes } from './requests.ts'

/** Opens streams of one subscription and counts their events, without reading them. */
export class EventCounter {
  readonly #port: number
  readonly #request: Buffer
  readonly #sockets: Socket[] = []
  /** The events of all streams together. */
  count = 0

  constructor(port: number, { token, query }: { readonly token: string; readonly query: string }) {
    this.#port = port
    this.#request = requestBytes({ path: '/graphql', token, body: { query }, headers: { Accept: 'text/event-stream' } })
  }

  /** Resolves when each of the streams had its first event. */
  async open(streams: number): Promise<void> {
    await Promise.all(Array.from({ length: streams }, () => this.#open()))
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
      this.#sockets.push(socket)
      socket.on('data', (chunk: Buffer) => {
        // A mark that is cut by the end of a chunk is lost: a few in a thousand.
        const events = chunk.toString('latin1').split('event: next').length - 1
        this.count += events
        if (events > 0) resolve()
      })
      socket.once('error', reject).once('connect', () => socket.write(this.#request))
    })
  }
}
