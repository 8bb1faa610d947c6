import { parseArgs } from 'node:util'

import type { Engine } from '../../test/support/database.ts'
import type { Effort } from './measure.ts'

export interface Options {
  readonly engine: Engine
  /** How many nodes the database has, one size after the other. */
  readonly sizes: readonly number[]
  readonly effort: Effort
  readonly peers: boolean
  /** Names of figures; null means all. */
  readonly only: ReadonlySet<string> | null
  /** How many nodes the ordered lists are read from. */
  readonly listed: number
  /** Numbers of live agents, one scenario after the other. */
  readonly agents: readonly number[]
}

export const usage = `npm run bench -- [options]
  --postgres       on PostgreSQL (npm's own binaries) instead of SQLite
  --full           also with 100 000 nodes
  --quick          1 000 nodes, two short rounds, 1 000 live agents: to see that everything runs
  --no-peers       without Mercurius, Apollo Server and PostGraphile (they are installed on demand)
  --only <name>    only this figure; may be given more than once (names: the first column of the table,
                   start-up, reports, fan-out, orders, many-nodes, fleet, audit)`

/** Reads the command line; null when help was requested. */
export function readOptions(args: readonly string[]): Options | null {
  const flag = { type: 'boolean', default: false } as const
  const { values } = parseArgs({
    args: [...args],
    options: {
      postgres: flag,
      full: flag,
      quick: flag,
      'no-peers': flag,
      help: flag,
      only: { type: 'string', multiple: true },
    },
  })
  if (values.help) return null
  return {
    engine: values.postgres ? 'postgresql' : 'sqlite',
    sizes: values.quick ? [1000] : values.full ? [1000, 10_000, 100_000] : [1000, 10_000],
    effort: values.quick ? { rounds: 2, seconds: 0.3 } : { rounds: 5, seconds: 0.4 },
    peers: !values['no-peers'],
    only: values.only ? new Set(values.only) : null,
    listed: values.quick ? 10_000 : 100_000,
    agents: values.quick ? [1000] : [1000, 5000, 10_000],
  }
}
