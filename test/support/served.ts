import { randomBytes, randomUUID } from 'node:crypto'

import { mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import { clientOf, type Client } from './client.ts'
import { orrery } from './orrery-process.ts'
import { createNode } from './world.ts'

/** The server as it is shipped, in a process of its own. */
export interface Served extends Client {
  readonly url: string
  readonly pid: number
  readonly operator: string
  readonly tenantToken: (tenantId: string) => Promise<string>
  /** The answer of `/readyz`. */
  readonly readiness: () => Promise<{ status: number; checks: Readonly<Record<string, string>> }>
  /** The log's lines about faults, in order. */
  readonly faults: () => { level: number; fault: string; msg: string }[]
  /** All its output, for a failed test. */
  readonly output: () => string
  readonly kill: (signal: NodeJS.Signals) => void
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null; output: string }>
}

interface Options {
  readonly database: string
  readonly secret?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly starter?: readonly string[]
}

export const newSecret = (): string => randomBytes(32).toString('hex')

/** Starts it, and waits until it listens. */
export async function serve({ database, secret = newSecret(), environment = {}, starter }: Options): Promise<Served> {
  const variables = { DATABASE_URL: database, ORRERY_SECRET: secret, ORRERY_LOG_LEVEL: 'info', ...environment }
  const { child, ended, ready } = orrery([], variables, starter)
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: string) => (output += text))
  const { url } = await ready()
  const { jwt } = deriveKeys(secret)
  const lifetime = 3600
  const { pid } = child
  if (pid === undefined) throw new Error('the process has no id')
  const readiness = async () => {
    const response = await fetch(`${url}/readyz`).catch((cause: unknown) => {
      throw new Error(`the server does not answer; it wrote:\n${output.slice(-5000)}`, { cause })
    })
    const { checks = {} } = (await response.json()) as { checks?: Record<string, string> }
    return { status: response.status, checks }
  }
  const faults = () =>
    output
      .split('\n')
      .filter((line) => line.startsWith('{') && line.includes('"fault":'))
      .map((line) => JSON.parse(line) as { level: number; fault: string; msg: string })
  return {
    ...clientOf((path, init) => fetch(url + path, init)),
    url,
    pid,
    operator: await mintJwt(jwt, { role: 'operator' }, { subject: 'olga', lifetime }),
    tenantToken: (tenantId) => mintJwt(jwt, { role: 'admin', tenantId }, { subject: 'tina', lifetime }),
    readiness,
    faults,
    output: () => output,
    kill: (signal) => void child.kill(signal),
    ended,
  }
}

/** A tenant with a cluster of one node. */
export interface SmallWorld {
  readonly tenantId: string
  readonly admin: string
  readonly clusterId: string
  readonly nodeId: string
  readonly nodeToken: string
}

export const createTenant = `mutation ($name: String!) { createTenant(input: { name: $name }) {
  ... on CreateTenantPayload { tenant { id } } ... on Error { __typename message } } }`
export const setMtu = `mutation ($id: UUID!, $mtu: Int!) { updateNodeMtu(input: { nodeId: $id, mtu: $mtu }) {
  ... on UpdateNodeMtuPayload { node { mtu } } ... on Error { __typename message } } }`
export const listTenants = '{ tenants(first: 1) { edges { node { id } } } }'

export async function createSmallWorld(served: Served): Promise<SmallWorld> {
  const name = randomUUID()
  const made = await served.ask<{ createTenant: { tenant: { id: string } } }>(served.operator, createTenant, { name })
  const tenantId = made.createTenant.tenant.id
  const admin = await served.tenantToken(tenantId)
  const { createCluster } = await served.ask<{ createCluster: { cluster: { id: string } } }>(
    admin,
    `mutation ($name: String!) { createCluster(input: { name: $name }) { ... on CreateClusterPayload { cluster { id } } } }`,
    { name },
  )
  const clusterId = createCluster.cluster.id
  const node = await createNode(served, admin, { clusterId, name: 'one' })
  return { tenantId, admin, clusterId, nodeId: node.id, nodeToken: node.token }
}

/** What is waited for (see `eventually`), with the server's output if it does not come. */
export const told = (what: string, served: Served) => (): string => `${what}\n${served.output()}`

/** Whether `/readyz` reports ready, with each of its checks. */
export const isReady = async ({ readiness }: Served): Promise<boolean> => (await readiness()).status === 200
