import { randomUUID } from 'node:crypto'

import type { TestApp } from './app.ts'

/** A tenant with one of everything, made through the API as its users would make it. */
export interface World {
  readonly tenantId: string
  readonly clusterId: string
  readonly clusterToken: string
  readonly nodeId: string
  readonly nodeToken: string
  readonly adminNodeId: string
  readonly adminNodeToken: string
  readonly admin: string
  readonly viewer: string
  /** Every id and name that belongs to the tenant: other tenants must not see any of them. */
  readonly marks: readonly string[]
}

/** Creates it; `name` is part of every name in it, so that a leak shows whose data it is. */
export async function createWorld(app: TestApp, name: string, instanceId: string): Promise<World> {
  const { createTenant } = await app.ask<{ createTenant: { tenant: { id: string } } }>(
    app.operator,
    'mutation ($name: String!) { createTenant(input: { name: $name }) { ... on CreateTenantPayload { tenant { id } } } }',
    { name: `${name}-tenant` },
  )
  const tenantId = createTenant.tenant.id
  const admin = await app.tenantToken(tenantId)
  const { createCluster } = await app.ask<{ createCluster: { cluster: { id: string }; token: string } }>(
    admin,
    `mutation ($name: String!) {
      createCluster(input: { name: $name }) { ... on CreateClusterPayload { cluster { id } token } ... on Error { message } }
    }`,
    { name: `${name}-cluster` },
  )
  const clusterId = createCluster.cluster.id
  const node = await createNode(app, admin, { clusterId, name: `${name}-node`, routes: ['192.168.1.0/24'] })
  const adminNode = await createNode(app, admin, { clusterId, name: `${name}-admin-node`, isAdmin: true })
  await app.database.client.configBundle.create({
    data: {
      version: 1000,
      tenantId,
      clusterId,
      data: Buffer.from(`${name}-bundle`),
      sha256: '0'.repeat(64),
      size: 10,
      message: `${name}-message`,
      createdById: adminNode.id,
    },
  })
  await app.database.client.clusterState.create({ data: { clusterId, instanceId, runningConfigVersion: 1 } })
  return {
    tenantId,
    clusterId,
    clusterToken: createCluster.token,
    nodeId: node.id,
    nodeToken: node.token,
    adminNodeId: adminNode.id,
    adminNodeToken: adminNode.token,
    admin,
    viewer: await app.tenantToken(tenantId, 'viewer'),
    marks: [tenantId, clusterId, node.id, adminNode.id, `${name}-`],
  }
}

/** Creates a node and returns its id and token. */
export async function createNode(
  app: Pick<TestApp, 'ask'>,
  token: string,
  input: object,
): Promise<{ id: string; token: string }> {
  const { createNode: made } = await app.ask<{ createNode: { node?: { id: string }; token?: string } }>(
    token,
    `mutation ($input: CreateNodeInput!) {
      createNode(input: $input) { ... on CreateNodePayload { node { id } token } ... on Error { message } }
    }`,
    { input },
  )
  if (!made.node || made.token === undefined) throw new Error(`createNode refused: ${JSON.stringify(made)}`)
  return { id: made.node.id, token: made.token }
}

/** Creates a node in the world's cluster, under a new name. */
export const newNode = (app: Pick<TestApp, 'ask'>, { admin, clusterId }: World) =>
  createNode(app, admin, { clusterId, name: randomUUID() })

/** A node's row in the database. */
export const nodeRow = ({ database }: TestApp, id: string) => database.client.node.findUniqueOrThrow({ where: { id } })
