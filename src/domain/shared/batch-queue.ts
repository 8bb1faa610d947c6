interface Waiting<Request, Answer> {
  readonly request: Request
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/**
 * Gathers requests for one thing (a cluster, say) while the work for it runs, and passes them together to the next
 * batch. A request never waits for further ones: the first one's batch begins immediately.
 */
export class BatchQueue<Request, Answer> {
  readonly #most: number
  readonly #queues = new Map<string, Waiting<Request, Answer>[]>()

  /** @param most the maximum number of requests in one batch */
  constructor(most: number) {
    this.#most = most
  }

  /**
   * Adds a request and waits for its answer.
   * @param work answers many requests, in their order. An Error in the list answers its own request only; a thrown
   * error fails the whole batch. Only the `work` of the request that started the queue is called
   */
  take(
    id: string,
    request: Request,
    work: (requests: readonly Request[]) => Promise<readonly (Answer | Error)[]>,
  ): Promise<Answer> {
    return new Promise<Answer>((resolve, reject) => {
      const waiting = { request, resolve, reject }
      const queue = this.#queues.get(id)
      if (queue) {
        queue.push(waiting)
        return
      }
      this.#queues.set(id, [waiting])
      void this.#run(id, work)
    })
  }

  async #run(id: string, work: (requests: readonly Request[]) => Promise<readonly (Answer | Error)[]>): Promise<void> {
    for (;;) {
      const batch = this.#queues.get(id)?.splice(0, this.#most) ?? []
      if (batch.length === 0) break
      try {
        const answers = await work(batch.map(({ request }) => request))
        batch.forEach(({ resolve, reject }, index) => {
          const answer = answers[index]
          if (answer === undefined || answer instanceof Error) reject(answer ?? new Error('a request got no answer'))
          else resolve(answer)
        })
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
    }
    this.#queues.delete(id)
  }
}
