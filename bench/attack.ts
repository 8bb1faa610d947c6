/**
 * One tenant attacks with every kind of caller that it has, while another tenant works as usual. Measures what the
 * other tenant notices, whether the instance stays master, and how much memory it uses.
 * `npm run attack -- [--postgres] [--seconds 60] [--nodes 5000] [--only <attack>] [--program <cli.js>]`
 *
 * The attackers are a process of their own, on the load's core; the server has the other core.
 */
import { fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { mintJwt } from '../src/auth/jwt.ts'
import { deriveKeys } from '../src/auth/keys.ts'
import { systemOperator } from '../src/auth/system.ts'
import { Tokens } from '../src/auth/tokens.ts'
import { createCluster } from '../src/domain/clusters/clusters.ts'
import { createTenant } from '../src/domain/tenants/tenants.ts'
import { openDatabases } from './lib/databases.ts'
import { secret } from './lib/dataset.ts'
import { largeCluster } from './lib/large-cluster.ts'
import { buildProgram, root, startServer, stayOnLoadCore } from './lib/processes.ts'
import { attackNames, type Target } from './attack/attacks.ts'
import { goAboutBusiness, report } from './attack/victim.ts'

const { values } = parseArgs({
  options: {
    postgres: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '60' },
    nodes: { type: 'string', default: '5000' },
    only: { type: 'string', multiple: true, default: [...attackNames] },
    program: { type: 'string' },
  },
})

if (values.program === undefined) buildProgram()
const program = values.program ?? `${root}dist/cli/index.js`
stayOnLoadCore()
const databases = await openDatabases(values.postgres ? 'postgresql' : 'sqlite')
try {
  const url = await databases.create()
  const { greedy, modest, operator } = await fill(url)
  const server = await startServer({
    args: () => [program, 'serve'],
    environment: (port) => ({
      DATABASE_URL: url,
      ORRERY_SECRET: secret,
      ORRERY_PORT: String(port),
      ORRERY_LOG_LEVEL: 'error',
    }),
    readyPath: '/readyz',
  })
  try {
    const address = `http://127.0.0.1:${server.port}`
    const target: Target = { address, ...greedy }
    const attackers = fork(fileURLToPath(new URL('attack/attackers.ts', import.meta.url)), [], {
      execArgv: ['--import', 'tsx'],
    })
    let answers: Record<string, number> = {}
    const ready = new Promise<void>((resolve) => {
      attackers.on('message', (message: 'ready' | Record<string, number>) => {
        if (message === 'ready') resolve()
        else answers = message
      })
    })
    attackers.send({ target, only: values.only })
    await ready
    const memory = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) / 1024
    const business = { address, ...modest, operator, memory }
    const seen = await goAboutBusiness(business, Number(values.seconds))
    attackers.kill('SIGKILL')
    console.log(report(seen))
    for (const [what, count] of Object.entries(answers)) console.log(`${what.padEnd(44)} ${count}`)
  } finally {
    await server.stop()
  }
} finally {
  await databases.close()
}

/** The attacked cluster with many nodes, and one of another tenant with none. */
async function fill(url: string) {
  const { database, vault, id: clusterId, tokens: nodes } = await largeCluster(url, Number(values.nodes))
  const keys = deriveKeys(secret)
  const operator = systemOperator(database)
  const tokens = new Tokens(keys.tokenHash)
  const own = await operator.db.cluster.findUniqueOrThrow({ where: { id: clusterId } })
  const { id: tenantId } = await createTenant(operator, { name: 'modest' })
  const { cluster } = await createCluster(operator, { tokens, vault }, { tenantId, name: 'modest' })
  const { token: enrollmentToken, hash } = tokens.newClusterToken()
  await operator.db.cluster.update({ where: { id: clusterId }, data: { clusterTokenHash: hash } })
  await database.close()
  const adminOf = (of: string) =>
    mintJwt(keys.jwt, { role: 'admin', tenantId: of }, { subject: 'attack', lifetime: 3600 })
  return {
    greedy: { clusterId, admin: await adminOf(own.tenantId), node: nodes[0] ?? '', enrollmentToken },
    modest: { clusterId: cluster.id, admin: await adminOf(tenantId) },
    operator: await mintJwt(keys.jwt, { role: 'operator' }, { subject: 'attack', lifetime: 3600 }),
  }
}
