import { randomUUID } from 'node:crypto'

import { clusterData, credentialData, nodeData, type ClusterRows } from './tenants.ts'

export const models = ['tenant', 'cluster', 'clusterState', 'replica', 'node', 'configBundle', 'credential'] as const
export type Model = (typeof models)[number]

/** Any operation of any model: code that walks over all of them does not know their types. */
export type Operation = (args?: unknown) => Promise<unknown>
export const operationOf = (client: object, model: Model, name: string): Operation => {
  const delegate = (client as Record<Model, Record<string, Operation | undefined>>)[model]
  return (args) => {
    const operation = delegate[name]
    if (!operation) throw new Error(`${model} has no operation ${name}`)
    return operation(args)
  }
}

/** Properties of a delegate that are not operations. */
const noOperations = ['fields', 'name', '$name', '$parent']
export const operationsOf = (client: object, model: Model): string[] =>
  Object.keys((client as Record<Model, object>)[model]).filter((key) => !noOperations.includes(key))

/** The unique key that finds a row. */
const keyOf = (model: Model, { tenantId, clusterId, nodeId, instanceId }: ClusterRows): object =>
  ({
    tenant: { id: tenantId },
    cluster: { id: clusterId },
    clusterState: { clusterId_instanceId: { clusterId, instanceId } },
    replica: { id: instanceId },
    node: { id: nodeId },
    configBundle: { tenantId_clusterId_version: { tenantId, clusterId, version: 7 } },
    credential: { id: nodeId },
  })[model]

/** The same as a condition of columns. */
const conditionOf = (model: Model, { tenantId, clusterId, nodeId, instanceId }: ClusterRows): object =>
  ({
    tenant: { id: tenantId },
    cluster: { id: clusterId },
    clusterState: { clusterId },
    replica: { id: instanceId },
    node: { id: nodeId },
    configBundle: { clusterId },
    credential: { id: nodeId },
  })[model]

/** A harmless change. */
export const changeOf = (model: Model): object =>
  ({
    tenant: { name: 'taken over' },
    cluster: { lighthousePort: 1 },
    clusterState: { runningConfigVersion: 99 },
    replica: { role: 'master' },
    node: { mtu: 9000 },
    configBundle: { message: 'taken over' },
    credential: { name: 'taken over' },
  })[model]

/** A new row among another owner's. */
const rowAt = (model: Model, { tenantId, clusterId }: ClusterRows): object =>
  ({
    tenant: { id: randomUUID(), name: 'new' },
    cluster: clusterData(tenantId, randomUUID(), 'new'),
    clusterState: { clusterId, instanceId: randomUUID(), runningConfigVersion: 1 },
    replica: { id: randomUUID(), address: 'http://new' },
    node: nodeData(tenantId, clusterId, 'new'),
    configBundle: { version: 8, tenantId, clusterId, data: Uint8Array.of(1), sha256: '', size: 1 },
    credential: { ...credentialData, id: randomUUID(), tokenHash: randomUUID(), tenantId },
  })[model]

type Attempt = (model: Model, outside: ClusterRows) => unknown
const byKey: Attempt = (model, outside) => ({ where: keyOf(model, outside) })
const byCondition: Attempt = (model, outside) => ({ where: conditionOf(model, outside) })

/**
 * For each operation of Prisma's, an attempt at another owner's row, and its result: nothing found, an error that says
 * there is no such row, or a refusal. Prisma added an operation that is missing here: decide in
 * src/db/client/scoped.ts.
 */
export const attempts: Record<string, { with: Attempt; gives: unknown }> = {
  findUnique: { with: byKey, gives: null },
  findUniqueOrThrow: { with: byKey, gives: 'P2025' },
  findFirst: { with: byCondition, gives: null },
  findFirstOrThrow: { with: byCondition, gives: 'P2025' },
  findMany: { with: byCondition, gives: [] },
  count: { with: byCondition, gives: 0 },
  aggregate: { with: (...at) => ({ ...(byCondition(...at) as object), _count: true }), gives: { _count: 0 } },
  groupBy: { with: (model, at) => ({ where: conditionOf(model, at), by: [columnOf(model)] }), gives: [] },
  delete: { with: byKey, gives: 'P2025' },
  deleteMany: { with: byCondition, gives: { count: 0 } },
  update: { with: (model, at) => ({ where: keyOf(model, at), data: changeOf(model) }), gives: 'P2025' },
  updateMany: { with: (model, at) => ({ where: conditionOf(model, at), data: changeOf(model) }), gives: { count: 0 } },
  updateManyAndReturn: { with: (model, at) => ({ where: conditionOf(model, at), data: changeOf(model) }), gives: [] },
  create: { with: (model, at) => ({ data: rowAt(model, at) }), gives: 'ScopeError' },
  createMany: { with: (model, at) => ({ data: [rowAt(model, at)] }), gives: 'ScopeError' },
  createManyAndReturn: { with: (model, at) => ({ data: [rowAt(model, at)] }), gives: 'ScopeError' },
  upsert: {
    with: (model, at) => ({ where: keyOf(model, at), create: rowAt(model, at), update: changeOf(model) }),
    gives: 'ScopeError',
  },
  findRaw: { with: () => ({}), gives: 'ScopeError' },
  aggregateRaw: { with: () => ({ pipeline: [] }), gives: 'ScopeError' },
}

const columnOf = (model: Model): string => (model === 'clusterState' || model === 'configBundle' ? 'clusterId' : 'id')
