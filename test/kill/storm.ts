import { randomUUID } from 'node:crypto'

import { createTenant, type Served, setMtu, type SmallWorld } from '../support/served.ts'

/** What callers were told is done, and what they asked for and were not told of. */
export interface Ledger {
  readonly tenants: Set<string>
  readonly nodes: Set<string>
  /** Of one node, which one caller changes: what it was told last, and what it asked for since without an answer. */
  readonly mtus: Set<number>
  /** Answers that are neither a success nor a word to try again. */
  readonly wrong: string[]
}

export const emptyLedger = (): Ledger => ({
  tenants: new Set(),
  nodes: new Set(),
  mtus: new Set(),
  wrong: [],
})

const createNode = `mutation ($clusterId: UUID!, $name: String!) { createNode(input: { clusterId: $clusterId, name: $name }) {
  ... on CreateNodePayload { node { id } } ... on Error { __typename message } } }`

/** Callers that change something all the time, each one thing after the other, until it is over. */
export async function storm(served: Served, world: SmallWorld, ledger: Ledger, isOver: () => boolean): Promise<void> {
  /** Whether it is known to be done; who has no answer does not know. */
  const isDone = async (query: string, variables: object): Promise<boolean> => {
    const answer = await served.answer(served.operator, query, variables).catch(() => null)
    // One that is away is not asked as fast as it refuses.
    if (answer === null || answer.status === 503) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      return false
    }
    const [payload] = Object.values(answer.data ?? {}) as ({ __typename?: string } | null)[]
    if (answer.status === 200 && !answer.errors && payload && payload.__typename === undefined) return true
    ledger.wrong.push(JSON.stringify(answer))
    return false
  }
  const repeat = async (one: () => Promise<void>) => {
    while (!isOver()) await one()
  }
  const named = (into: Set<string>, query: string, variables: object) => async () => {
    const name = randomUUID()
    if (await isDone(query, { ...variables, name })) into.add(name)
  }
  const resize = async () => {
    const mtu = 1280 + Math.floor(Math.random() * 7000)
    ledger.mtus.add(mtu)
    if (!(await isDone(setMtu, { id: world.nodeId, mtu }))) return
    ledger.mtus.clear()
    ledger.mtus.add(mtu)
  }
  const { clusterId } = world
  await Promise.all([
    ...Array.from({ length: 4 }, () => repeat(named(ledger.tenants, createTenant, {}))),
    ...Array.from({ length: 3 }, () => repeat(named(ledger.nodes, createNode, { clusterId }))),
    repeat(resize),
  ])
}
