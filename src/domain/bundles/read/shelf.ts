import { decodeBundle, type DecodedBundle } from './slices.ts'

/** Bytes of decoded bundles in memory: some twenty of ten thousand nodes, some thousands of a hundred. */
const BUDGET = 256 * 1024 * 1024

/** Reads a stored bundle's archive; null when there is none of that version. */
export type LoadBundle = (clusterId: string, version: number) => Promise<Uint8Array | null>

/**
 * The bundles that slices are served from, decoded. Those that were asked for last are kept, within a bound of memory;
 * however many nodes ask for a version at once, it is read once.
 */
export class BundleShelf {
  readonly #load: LoadBundle
  readonly #budget: number
  /** In the order of their last use, the longest ago first. */
  readonly #kept = new Map<string, DecodedBundle>()
  readonly #loading = new Map<string, Promise<DecodedBundle | null>>()
  #bytes = 0

  /** @param budget bytes */
  constructor(load: LoadBundle, budget = BUDGET) {
    this.#load = load
    this.#budget = budget
  }

  /** Bytes that it keeps, about. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * A version of a cluster; null when it does not exist or was never compiled, which is asked again next time.
   * @throws what loading throws, and Error when the archive is damaged
   */
  async get(clusterId: string, version: number): Promise<DecodedBundle | null> {
    const key = `${clusterId}/${version}`
    const kept = this.#kept.get(key)
    if (kept !== undefined) {
      this.#kept.delete(key)
      this.#kept.set(key, kept)
      return kept
    }
    const loading = this.#loading.get(key) ?? this.#fetch(key, clusterId, version)
    this.#loading.set(key, loading)
    return loading
  }

  /** Forgets what is kept of a cluster: it is gone, or a version of it is. */
  drop(clusterId: string): void {
    for (const [key, { bytes }] of this.#kept) {
      if (!key.startsWith(`${clusterId}/`)) continue
      this.#kept.delete(key)
      this.#bytes -= bytes
    }
  }

  async #fetch(key: string, clusterId: string, version: number): Promise<DecodedBundle | null> {
    try {
      const data = await this.#load(clusterId, version)
      const bundle = data === null ? null : await decodeBundle(data)
      if (bundle !== null) this.#keep(key, bundle)
      return bundle
    } finally {
      this.#loading.delete(key)
    }
  }

  #keep(key: string, bundle: DecodedBundle): void {
    // One that has no room alone is served and let go.
    if (bundle.bytes > this.#budget) return
    this.#kept.set(key, bundle)
    this.#bytes += bundle.bytes
    for (const [oldest, { bytes }] of this.#kept) {
      if (this.#bytes <= this.#budget) return
      this.#kept.delete(oldest)
      this.#bytes -= bytes
    }
  }
}
