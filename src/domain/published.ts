import { NotFoundError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import { getLatestConfigBundleVersion } from './config-bundles.ts'

/** A version of a cluster's configuration that is published. */
export interface Published {
  readonly clusterId: string
  readonly version: number
}

interface Following {
  /** Whether whoever listens still may. Asked before each event, and at each look. */
  readonly isAllowed: () => Promise<boolean>
  /** Ends the stream: the server stops. */
  readonly ending: AbortSignal
  /** Milliseconds between two looks, at the caller and at what another instance published. */
  readonly lookEvery?: number
}

/** Between two looks, in milliseconds. */
const usualLook = 30_000

/**
 * The versions of a cluster as they are published: the present one first, then each newer one. Whoever reads slowly gets
 * the newest and not those before it, so that a stream holds one number, however many versions there are.
 * @throws NotFoundError when the cluster does not exist or is not in the scope
 */
export async function followPublished(
  scope: Scope,
  clusterId: string,
  following: Following,
): Promise<AsyncIterableIterator<Published, undefined>> {
  if (!(await exists(scope, clusterId))) throw new NotFoundError('Cluster')
  return new Publications(scope, clusterId, following)
}

const exists = async ({ db }: Scope, id: string): Promise<boolean> =>
  (await db.cluster.findUnique({ where: { id }, select: { id: true } })) !== null

/** Not an async generator: that one could not be left while it waits for an event. Listens from the first `next` on. */
class Publications implements AsyncIterableIterator<Published, undefined> {
  readonly #scope: Scope
  readonly #clusterId: string
  readonly #following: Following
  #newest = 0
  #sent = 0
  #mustLook = true
  #ended = false
  #stopListening: (() => void) | null = null
  #wake: (() => void) | null = null

  constructor(scope: Scope, clusterId: string, following: Following) {
    this.#scope = scope
    this.#clusterId = clusterId
    this.#following = following
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Published, undefined>> {
    if (this.#following.ending.aborted) this.#end()
    if (!this.#ended) this.#stopListening ??= this.#listen()
    try {
      while (!this.#ended) {
        if (this.#mustLook) await this.#look()
        else if (this.#newest <= this.#sent) await new Promise<void>((resolve) => (this.#wake = resolve))
        else if (await this.#isAllowed()) return this.#send()
      }
    } catch (error) {
      this.#end()
      throw error
    }
    return { done: true, value: undefined }
  }

  return(): Promise<IteratorResult<Published, undefined>> {
    this.#end()
    return Promise.resolve({ done: true, value: undefined })
  }

  #send(): IteratorResult<Published, undefined> {
    this.#sent = this.#newest
    return { done: false, value: { clusterId: this.#clusterId, version: this.#sent } }
  }

  /** Ends the stream of a caller who may not listen any more; false also when it ended in the meantime. */
  async #isAllowed(): Promise<boolean> {
    if (!(await this.#following.isAllowed())) this.#end()
    return !this.#ended
  }

  /** Finds what no event told of: the caller is nobody any more, the cluster is gone, another instance published. */
  async #look(): Promise<void> {
    this.#mustLook = false
    if (!(await this.#isAllowed())) return
    const version = await getLatestConfigBundleVersion(this.#scope, this.#clusterId)
    if (version === null && !(await exists(this.#scope, this.#clusterId))) this.#end()
    this.#newest = Math.max(this.#newest, version ?? 0)
  }

  #listen(): () => void {
    const { ending, lookEvery = usualLook } = this.#following
    const unlisten = this.#scope.changes.listen((event) => {
      if (event.kind !== 'published' || event.clusterId !== this.#clusterId) return
      this.#newest = Math.max(this.#newest, event.version)
      this.#wake?.()
    })
    const timer = setInterval(() => {
      this.#mustLook = true
      this.#wake?.()
    }, lookEvery)
    const end = () => this.#end()
    ending.addEventListener('abort', end, { once: true })
    return () => {
      unlisten()
      clearInterval(timer)
      ending.removeEventListener('abort', end)
    }
  }

  #end(): void {
    this.#ended = true
    this.#stopListening?.()
    this.#wake?.()
  }
}
