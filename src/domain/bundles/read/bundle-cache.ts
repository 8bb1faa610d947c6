import { decodeBundle, type DecodedBundle } from './slices.ts'

/** Bytes of decoded bundles in memory: about twenty of ten thousand nodes, or thousands of a hundred nodes. */
const cacheBudget = 256 * 1024 * 1024

/** Reads a stored bundle's archive; null when that version does not exist. */
export type LoadBundle = (clusterId: string, version: number) => Promise<Uint8Array | null>

/**
 * The decoded bundles that slices are served from. The most recently used ones are cached, within a memory limit. A
 * version is read once, even when many nodes ask for it at the same time.
 */
export class BundleCache {
  readonly #load: LoadBundle
  readonly #budget: number
  /** In the order of use, least recent first. */
  readonly #kept = new Map<string, DecodedBundle>()
  readonly #loading = new Map<string, Promise<DecodedBundle | null>>()
  #bytes = 0

  /** @param budget bytes */
  constructor(load: LoadBundle, budget = cacheBudget) {
    this.#load = load
    this.#budget = budget
  }

  /** The approximate size of the cached bundles in bytes. */
  get bytes(): number {
    return this.#bytes
  }

  /**
   * A version of a cluster; null when it does not exist or was never compiled, which is checked again next time.
   * @throws errors of loading, and Error when the archive is damaged
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

  /** Drops a cluster's cached bundles: the cluster, or one of its versions, was deleted. */
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
    // A bundle that exceeds the limit by itself is served without being cached.
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
