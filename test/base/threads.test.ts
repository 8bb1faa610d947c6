import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'

import { mintJwt } from '../../src/auth/jwt.ts'
import { deriveKeys } from '../../src/auth/keys.ts'
import type threads from '../../src/base/threads.json'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import { eventually } from '../support/eventually.ts'
import { certify } from '../support/certified.ts'
import { clientOf, type Client } from '../support/client.ts'
import { send } from '../support/multipart.ts'
import { orrery } from '../support/orrery-process.ts'
import { fileMark } from '../support/schema-walk.ts'
import { createNode } from '../support/world.ts'

const secret = 'of this test alone: 0123456789abcdef'

describe('the program as it is built has all of its threads', () => {
  let folder: string
  let server: ReturnType<typeof orrery>
  let client: Client
  let operator: string
  let clusterId: string
  let node: { id: string; token: string }
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'orrery-threads-'))
    const environment = { DATABASE_URL: `file:${folder}/orrery.db`, ORRERY_SECRET: secret, ORRERY_DATA_DIR: folder }
    server = orrery(['serve'], environment)
    const { url } = await server.ready()
    client = clientOf((path, init) => fetch(new URL(path, url), init))
    operator = await mintJwt(deriveKeys(secret).jwt, { role: 'operator' }, { subject: 'olga', lifetime: 600 })
    const { createTenant } = await client.ask<{ createTenant: { tenant: { id: string } } }>(
      operator,
      'mutation { createTenant(input: { name: "t" }) { ... on CreateTenantPayload { tenant { id } } } }',
    )
    const { createCluster } = await client.ask<{ createCluster: { cluster: { id: string } } }>(
      operator,
      `mutation ($id: UUID!) { createCluster(input: { tenantId: $id, name: "c" }) {
        ... on CreateClusterPayload { cluster { id } } } }`,
      { id: createTenant.tenant.id },
    )
    clusterId = createCluster.cluster.id
    node = await createNode(client, operator, { clusterId, name: 'a' })
  })
  afterAll(async () => {
    server.child.kill('SIGKILL')
    await server.ended
    await rm(folder, { recursive: true, force: true })
  })

  /** What only comes of the thread's work; a thread without an entry does not compile. */
  const works: Record<keyof typeof threads, () => Promise<void>> = {
    'bundle-yaml': async () => {
      const query = `mutation ($input: CreateConfigBundleInput!) {
        createConfigBundle(input: $input) { __typename ... on Error { message } } }`
      const archive = await packBundle([{ path: 'config.yml', content: 'punchy:\n  punch: [1, 2\n' }])
      const { text } = await send(client, operator, query, { input: { clusterId, archive: fileMark } }, archive)
      expect(text).toContain('line 3 is not valid YAML')
    },
    'bundle-compile': async () => {
      await certify(client, node.token)
      const bundle = () => client.fetch('/bundle', { headers: { authorization: `Bearer ${node.token}` } })
      await eventually(
        'the node is served its slice',
        async () => (await bundle()).status,
        (status) => status === 200,
      )
    },
    'change-plan': async () => {
      const query = `mutation ($id: UUID!) { updateNodeMtu(input: { nodeId: $id, mtu: 1280, dryRun: true }) {
        ... on UpdateNodeMtuPayload { plan { nodes { name action } } } } }`
      await certify(client, node.token)
      expect(await client.ask(operator, query, { id: node.id })).toEqual({
        updateNodeMtu: { plan: { nodes: [{ name: 'a', action: 'RESTART' }] } },
      })
    },
    'bulk-writes': async () => {
      await client.ask(
        node.token,
        'mutation { reportNodeStatus(input: { runningConfigVersion: 2 }) { __typename ... on Error { message } } }',
      )
      const query = 'query ($id: UUID!) { node(id: $id) { runningConfigVersion } }'
      await eventually(
        'the report is stored',
        () => client.ask<{ node: { runningConfigVersion: number | null } }>(operator, query, { id: node.id }),
        (seen) => seen.node.runningConfigVersion === 2,
      )
    },
    'long-reads': async () => {
      const query = '{ fleet { clusters { clusterId nodes { all } } } }'
      expect(await client.ask(operator, query)).toEqual({ fleet: { clusters: [{ clusterId, nodes: { all: 1 } }] } })
    },
  }

  test.each(Object.entries(works))('%s', async (_name, does) => {
    await does().catch(async (cause: unknown) => {
      throw new Error(`the server said:\n${(await server.ready()).output}`, { cause })
    })
  })
})
