import { randomUUID } from 'node:crypto'

import { schema } from '../../src/graphql/schema.ts'
import { startApp, type TestApp } from '../support/app.ts'
import type { Engine } from '../support/database.ts'
import { send } from '../support/multipart.ts'
import { difference, faultIn, foreignRows, leakIn, type Answer } from './checks.ts'
import { operationMaker } from './documents.ts'
import { fill, harvest, type Filling } from './harvest.ts'
import { Memory } from './memory.ts'
import { Pace } from './pace.ts'
import { Random } from './random.ts'
import { filled, type Operation } from './slots.ts'
import { clearStage, setStage, type Caller, type Stage } from './stage.ts'

export interface RunOptions {
  readonly operations: number
  readonly seed: number
  /** The operation to begin with: a multiple of those of a round, to see one failure again. */
  readonly from?: number
}

export interface RunResult {
  readonly failures: readonly string[]
  /** How many answers held data, by caller: a run that is refused everywhere shows nothing. */
  readonly answered: ReadonlyMap<string, number>
  /** How many times a foreign id was compared with a missing one. */
  readonly compared: number
}

/** Operations on one stage. */
export const operationsOfRound = 250
/** Failures after which a run ends: more of them say no more. */
const mostFailures = 20

/** Runs random operations on one engine. Each round has a seed of its own, so that it can be run alone. */
export async function run(engine: Engine, { operations, seed, from = 0 }: RunOptions): Promise<RunResult> {
  const app = await startApp(engine)
  const bout = new Bout(app, seed)
  const memory = new Memory()
  const end = from + operations
  try {
    for (let start = from; start < end && bout.failures.length < mostFailures; start += operationsOfRound) {
      await bout.round(start, Math.min(start + operationsOfRound, end))
      if (start - from < operations / 3) memory.setBaseline()
    }
    const problem = memory.problem()
    if (problem !== null) bout.failures.push(`seed ${seed}, ${engine}: ${problem}`)
  } finally {
    await app.close()
  }
  return bout
}

class Bout implements RunResult {
  readonly failures: string[] = []
  readonly answered = new Map<string, number>()
  compared = 0
  readonly #app: TestApp
  readonly #seed: number
  readonly #make = operationMaker(schema)
  readonly #pace = new Pace()
  /** The ids that callers have asked for so far. */
  readonly #tried = new Set<string>()

  constructor(app: TestApp, seed: number) {
    this.#app = app
    this.#seed = seed
  }

  async round(start: number, end: number): Promise<void> {
    const random = new Random(this.#seed + start)
    const stage = await setStage(this.#app, randomUUID())
    for (let number = start; number < end; number += 1) {
      const caller = random.pick(stage.callers)
      const operation = this.#make(random)
      const found = operation.slots.length > 0 ? await harvest(this.#app.database.client) : []
      const problems = await this.#check(stage, caller, operation, fill(operation, caller.reach, found, random))
      const at = `seed ${this.#seed}, operation ${number} of the round from ${start}, ${caller.name}`
      this.failures.push(...problems.map((problem) => `${at}:\n${problem}\n${written(operation)}`))
    }
    await this.#app.flush()
    await clearStage(this.#app)
    // What tests look at is kept until somebody does.
    this.#app.takeLog()
    this.#app.takeStatements()
  }

  async #check(stage: Stage, caller: Caller, operation: Operation, filling: Filling): Promise<string[]> {
    const rows = () =>
      caller.reach.tenantId === null || operation.kind === 'query'
        ? Promise.resolve('')
        : foreignRows(this.#app.database.client, caller, stage)
    const before = await rows()
    const variables = filled(operation.variables, filling.ids) as Record<string, unknown>
    for (const id of filling.ids.values()) this.#tried.add(id)
    const ask = () => send(this.#app, caller.token, operation.document, variables)
    const since = Date.now()
    const begun = performance.now()
    const answer = await ask()
    const time = performance.now() - begun
    if (answer.text.includes('"data":{')) this.answered.set(caller.name, (this.answered.get(caller.name) ?? 0) + 1)
    const isRepeatable = operation.kind === 'query' && answer.status === 200
    const problems = [
      faultIn(answer),
      leakIn(answer, caller, { question: JSON.stringify(variables), tried: this.#tried }),
      filling.hasForeign ? await this.#compare(caller, operation, filling, { answer, since }) : null,
      (await rows()) === before ? null : 'a foreign row was changed',
      isRepeatable ? await this.#pace.judge({ document: operation.document, variables }, time, ask) : null,
    ]
    return problems.filter((problem) => problem !== null)
  }

  async #compare(
    caller: Caller,
    operation: Operation,
    filling: Filling,
    { answer, since }: { readonly answer: Answer; readonly since: number },
  ): Promise<string | null> {
    if (caller.reach.tenantId === null) return null
    this.compared += 1
    const ask = (ids: ReadonlyMap<string, string>): Promise<Answer> =>
      send(this.#app, caller.token, operation.document, filled(operation.variables, ids) as Record<string, unknown>)
    const [foreign, missing] = [[answer], [await ask(filling.missing)]]
    const told = { ids: [...filling.ids.values(), ...filling.missing.values()], since }
    // Of two errors in one document, the faster one may be the only one that is told.
    for (let again = 0; again < 4 && difference(foreign, missing, told) !== null; again += 1) {
      // Not strictly one after the other: which error is faster may depend on what the previous request left to be done.
      foreign.push(await ask(filling.ids), await ask(filling.ids))
      missing.push(await ask(filling.missing), await ask(filling.missing))
    }
    return difference(foreign, missing, told)
  }
}

const written = ({ document, variables, slots }: Operation): string =>
  `${document}\n${JSON.stringify(variables, (_key, value: unknown) => (typeof value === 'symbol' ? '<file>' : value))}\n${slots.map(({ mark, owner, kind }) => `${mark}: ${owner} ${kind}`).join(', ')}`
