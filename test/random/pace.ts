import { complexityFromQuery } from '@pothos/plugin-complexity'

import { schema } from '../../src/graphql/schema.ts'

/** How many times slower than the median, for its counted cost, an answer may be. */
const most = 100
/** Counted for what every request costs, however little it asks for. */
const basis = 100
/** Answers that the median is taken of before any is judged. */
const enough = 100

/** Compares how long answers take with what they were counted at, all within one run. */
export class Pace {
  readonly #ratios: number[] = []

  /**
   * @param ask asks once more; a machine that had something else to do is no fault
   * @returns what is wrong; null when the answer came in time
   */
  async judge(
    { document, variables }: { document: string; variables: Record<string, unknown> },
    time: number,
    ask: () => Promise<unknown>,
  ): Promise<string | null> {
    const { complexity } = complexityFromQuery(document, { schema, variables })
    const cost = basis + complexity
    let least = time
    const median = this.#median()
    for (let again = 0; again < 4 && least / cost > most * median; again += 1) {
      const start = performance.now()
      await ask()
      least = Math.min(least, performance.now() - start)
    }
    this.#ratios.push(least / cost)
    if (this.#ratios.length > 1000) this.#ratios.shift()
    if (least / cost <= most * median) return null
    return `an answer ${Math.round(least / cost / median)} times slower than the median, for a cost of ${complexity}`
  }

  #median(): number {
    if (this.#ratios.length < enough) return Infinity
    return this.#ratios.toSorted((a, b) => a - b)[this.#ratios.length >> 1] ?? Infinity
  }
}
