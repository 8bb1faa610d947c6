import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP proxy that affects connections as a fail-over or a firewall does. */
export interface FreezingProxy {
  /** The address with the proxy's in place of the server's. */
  readonly url: string
  /** From now on, existing connections forward nothing and are not closed; new ones work. */
  freeze(): void
  /** Whether new connections are forwarded; otherwise they are accepted and stay silent. */
  forwardNew(does: boolean): void
  /** How many connections there are, the frozen ones among them. */
  readonly open: { readonly frozen: number; readonly alive: number }
  close(): Promise<void>
}

/** Puts a proxy of the loopback in front of a server, e.g. `postgresql://…`. */
export async function startFreezingProxy(server: string): Promise<FreezingProxy> {
  const target = new URL(server)
  const pairs = new Set<Pair>()
  let forwards = true
  const listener = createServer((client) => {
    const pair = new Pair(client, forwards ? connect(Number(target.port), target.hostname) : null)
    pairs.add(pair)
    client.once('close', () => pairs.delete(pair))
  })
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const url = new URL(server)
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`
  return {
    url: url.href,
    freeze() {
      for (const pair of pairs) pair.freeze()
    },
    forwardNew(does) {
      forwards = does
    },
    get open() {
      const frozen = [...pairs].filter(({ isFrozen }) => isFrozen).length
      return { frozen, alive: pairs.size - frozen }
    },
    async close() {
      for (const pair of pairs) pair.destroy()
      await new Promise<void>((resolve) => listener.close(() => resolve()))
    },
  }
}

class Pair {
  readonly #client: Socket
  readonly #server: Socket | null
  isFrozen = false

  constructor(client: Socket, server: Socket | null) {
    this.#client = client
    this.#server = server
    this.isFrozen = server === null
    // Without a server, bytes are accepted and dropped: the client's system sees a connection that works.
    client.on('error', () => undefined).on('data', (bytes) => this.#forward(this.#server, bytes))
    server?.on('error', () => undefined).on('data', (bytes) => this.#forward(this.#client, bytes))
    client.once('close', () => this.#server?.destroy())
    server?.once('close', () => {
      if (!this.isFrozen) client.destroy()
    })
  }

  freeze(): void {
    this.isFrozen = true
  }

  destroy(): void {
    this.#client.destroy()
    this.#server?.destroy()
  }

  #forward(to: Socket | null, bytes: Buffer): void {
    if (!this.isFrozen) to?.write(bytes)
  }
}
