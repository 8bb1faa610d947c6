import { randomUUID } from 'node:crypto'

import type { TestApp } from '../support/app.ts'
import { createNode, createWorld, type World } from '../support/world.ts'

/** What a caller reaches: everything, a tenant's rows, or a cluster's. */
export interface Reach {
  readonly tenantId: string | null
  readonly clusterId: string | null
}

export interface Caller {
  readonly name: string
  readonly token: string | null
  readonly reach: Reach
  /** Ids and names of rows beyond its reach. */
  readonly foreignMarks: readonly string[]
}

/** Two tenants, and a second cluster in the first one: rows that callers reach, and rows that they do not. */
export interface Stage {
  readonly callers: readonly Caller[]
  readonly theirs: World
  readonly siblingId: string
}

/** Sets it up anew: operations may have deleted whatever was there before. */
export async function setStage(app: TestApp, instanceId: string): Promise<Stage> {
  const ours = await createWorld(app, `ours${randomUUID()}`, instanceId)
  const theirs = await createWorld(app, `theirs${randomUUID()}`, instanceId)
  const name = `sibling${randomUUID()}`
  const { createCluster } = await app.ask<{ createCluster: { cluster: { id: string } } }>(
    ours.admin,
    `mutation ($name: String!) {
      createCluster(input: { name: $name }) { ... on CreateClusterPayload { cluster { id } } }
    }`,
    { name: `${name}-cluster` },
  )
  const siblingId = createCluster.cluster.id
  const siblingNode = await createNode(app, ours.admin, { clusterId: siblingId, name: `${name}-node` })
  // The archive of a world is none; operations need real ones.
  await app.database.client.configBundle.deleteMany({ where: { message: { endsWith: '-message' } } })
  await app.publish()

  const beyondTenant = theirs.marks
  const beyondCluster = [...beyondTenant, siblingId, siblingNode.id, `${name}-`]
  const tenant = { reach: { tenantId: ours.tenantId, clusterId: null }, foreignMarks: beyondTenant }
  const cluster = { reach: { tenantId: ours.tenantId, clusterId: ours.clusterId }, foreignMarks: beyondCluster }
  const nothing = { reach: { tenantId: '', clusterId: '' }, foreignMarks: [...ours.marks, ...beyondCluster] }
  const callers: Caller[] = [
    { name: 'operator', token: app.operator, reach: { tenantId: null, clusterId: null }, foreignMarks: [] },
    { name: 'tenant admin', token: ours.admin, ...tenant },
    { name: 'viewer', token: ours.viewer, ...tenant },
    { name: 'admin node', token: ours.adminNodeToken, ...cluster },
    { name: 'node', token: ours.nodeToken, ...cluster },
    { name: 'enrolling machine', token: ours.clusterToken, ...cluster },
    { name: 'nobody', token: null, ...nothing },
  ]
  return { callers, theirs, siblingId }
}

/** Takes away what is left of a stage, so that a long run has no more rows than a short one. */
export async function clearStage({ database }: TestApp): Promise<void> {
  await database.client.configBundle.deleteMany()
  await database.client.tenant.deleteMany()
  await database.client.replica.deleteMany()
}
