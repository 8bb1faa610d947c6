import Sqlite from 'better-sqlite3'
import { Client } from 'pg'

import { createMigratedDatabase, createOnServer, type Engine } from '../support/database.ts'
import { startPostgres } from '../support/postgres.ts'
import { eventually } from '../support/eventually.ts'
import { createSmallWorld, isReady, newSecret, serve, setMtu, type Served, told } from '../support/served.ts'
import { emptyLedger, type Ledger, storm } from './storm.ts'

const firstMtu = 1400
/** Milliseconds of a storm before the kill, from the first changes on: into the publishing of them as well. */
const longest = 800

export interface Outcome {
  readonly acknowledged: number
  /** What was acknowledged and is not there. */
  readonly lost: readonly string[]
  /** What is wrong with the database, and answers that should not have been given. */
  readonly wrong: readonly string[]
  /** Of each round, the milliseconds from the kill until `/readyz` said yes. */
  readonly readyAfter: readonly number[]
}

interface Victim {
  readonly url: string
  /** Kills PostgreSQL; null where there is none to kill. */
  readonly crash: (() => Promise<void>) | null
  readonly close: () => Promise<void>
}

/** Kills the server, or PostgreSQL below it, in the middle of a storm of changes; again and again on the same data. */
export async function run(
  engine: Engine,
  rounds: number,
  tell: (line: string) => void = () => undefined,
): Promise<Outcome> {
  const victim = engine === 'sqlite' ? await sqliteVictim() : await postgresqlVictim()
  const secret = newSecret()
  const ledger = emptyLedger()
  const [lost, wrong]: [Set<string>, string[]] = [new Set(), []]
  const readyAfter: number[] = []
  let served = await serve({ database: victim.url, secret })
  try {
    const world = await createSmallWorld(served)
    await served.ask(served.operator, setMtu, { id: world.nodeId, mtu: firstMtu })
    ledger.mtus.add(firstMtu)
    for (let round = 0; round < rounds; round += 1) {
      const state = { isOver: false }
      const before = count(ledger)
      const raging = storm(served, world, ledger, () => state.isOver)
      await eventually(told('changes go through', served), async () => count(ledger) > before + 2)
      await new Promise((resolve) => setTimeout(resolve, longest * Math.random()))
      const killed = performance.now()
      const crash = round % 2 === 0 ? victim.crash : null
      // Changes go on while PostgreSQL is away: they fail, and go through again.
      if (crash) {
        await crash()
      } else {
        state.isOver = true
        served = await restarted(served, victim.url, secret)
      }
      await eventually(told('it is ready again', served), () => isReady(served))
      readyAfter.push(performance.now() - killed)
      state.isOver = true
      await raging
      for (const one of await missing(engine, victim.url, ledger, world.nodeId)) lost.add(one)
      wrong.push(...(await damageOf(engine, victim.url)))
      tell(
        `round ${round + 1}: ${crash ? 'PostgreSQL' : 'Orrery'} killed, ${count(ledger)} acknowledged, ${lost.size} lost`,
      )
    }
    return { acknowledged: count(ledger), lost: [...lost], wrong: [...wrong, ...ledger.wrong], readyAfter }
  } finally {
    served.kill('SIGKILL')
    await served.ended
    await victim.close()
  }
}

async function restarted(served: Served, database: string, secret: string): Promise<Served> {
  served.kill('SIGKILL')
  await served.ended
  return serve({ database, secret })
}

const count = ({ tenants, nodes }: Ledger): number => tenants.size + nodes.size

async function sqliteVictim(): Promise<Victim> {
  const home = await createMigratedDatabase('sqlite')
  return { url: home.url, crash: null, close: () => home.drop() }
}

/** A server of its own, which writes as PostgreSQL does when nobody told it otherwise. */
async function postgresqlVictim(): Promise<Victim> {
  const server = await startPostgres({})
  const { url } = await createOnServer(server.url)
  return { url, crash: () => server.crash(), close: () => server.stop() }
}

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

async function withRows<T>(engine: Engine, url: string, work: (rows: Rows) => Promise<T>): Promise<T> {
  if (engine === 'sqlite') {
    const database = new Sqlite(url.replace('file:', ''))
    try {
      return await work(async (sql) => database.prepare<[], Record<string, unknown>>(sql).all())
    } finally {
      database.close()
    }
  }
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(async (sql) => (await client.query<Record<string, unknown>>(sql)).rows)
  } finally {
    await client.end()
  }
}

/** What was acknowledged and is not in the database. */
const missing = (engine: Engine, url: string, ledger: Ledger, nodeId: string): Promise<string[]> =>
  withRows(engine, url, async (rows) => {
    const namesOf = async (table: string) => new Set((await rows(`SELECT name FROM ${table}`)).map(({ name }) => name))
    const [tenants, nodes] = [await namesOf('tenants'), await namesOf('nodes')]
    const [{ mtu } = {}] = await rows(`SELECT mtu FROM nodes WHERE id = '${nodeId}'`)
    return [
      ...[...ledger.tenants].filter((name) => !tenants.has(name)).map((name) => `tenant ${name}`),
      ...[...ledger.nodes].filter((name) => !nodes.has(name)).map((name) => `node ${name}`),
      ...(ledger.mtus.has(Number(mtu)) ? [] : [`mtu ${[...ledger.mtus].join(' or ')}: it is ${String(mtu)}`]),
    ]
  })

/** What is wrong with the database itself. */
const damageOf = (engine: Engine, url: string): Promise<string[]> =>
  withRows(engine, url, async (rows) => {
    const unlikeVersions = `SELECT c.id FROM clusters c WHERE c.config_version < (
      SELECT coalesce(max(b.version), 0) FROM config_bundles b WHERE b.cluster_id = c.id)`
    const ahead = (await rows(unlikeVersions)).map(
      ({ id }) => `cluster ${String(id)} has a bundle of a version to come`,
    )
    if (engine === 'postgresql') return [...ahead, ...(await damageOfPostgresql(rows))]
    const report = await rows('PRAGMA integrity_check')
    return [...ahead, ...report.map((row) => String(row['integrity_check'])).filter((line) => line !== 'ok')]
  })

/** Every index against its table, and every row read. */
async function damageOfPostgresql(rows: Rows): Promise<string[]> {
  await rows('CREATE EXTENSION IF NOT EXISTS amcheck')
  const wrong: string[] = []
  const indexes =
    await rows(`SELECT c.oid::regclass::text AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_am a ON a.oid = c.relam JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.amname = 'btree' AND n.nspname = 'public'`)
  for (const { name } of indexes) {
    await rows(`SELECT bt_index_parent_check('${String(name)}', true)`).catch((error: unknown) => {
      wrong.push(`index ${String(name)}: ${String(error)}`)
    })
  }
  return wrong
}
