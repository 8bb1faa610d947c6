import { randomUUID } from 'node:crypto'

import { exportCaKey } from '../../src/pki/ca.ts'
import { formatPublicKey, generateNodeKeyPair } from '../../src/pki/keys.ts'
import { newCa } from '../bundle/cluster.ts'
import type { TestApp } from '../support/app.ts'
import { bumping, type Input } from '../support/changes.ts'
import { mutate } from '../support/mutate.ts'
import { bundleData } from '../support/tenants.ts'
import { newNode, type World } from '../support/world.ts'

/** What makes a mutation succeed: its input, and the token of its caller. */
interface Call {
  readonly input: Record<string, unknown>
  readonly token: string
}
type MakeCall = (world: World, app: TestApp) => Promise<Call>

interface Made {
  readonly tenant?: { readonly id: string }
  readonly cluster?: { readonly id: string }
  readonly replica?: { readonly id: string }
  readonly credential?: { readonly id: string }
  readonly enrollmentKey?: { readonly id: string }
  readonly token?: string
}

/** Makes something for a mutation to be about. */
const made = (app: TestApp, mutation: string, input: object, payload: string) =>
  mutate<Made>(app, app.operator, mutation, input, payload)

const newTenant = async (app: TestApp) =>
  (await made(app, 'createTenant', { name: randomUUID() }, 'tenant { id }')).tenant?.id
const newCluster = async ({ tenantId }: World, app: TestApp) =>
  (await made(app, 'createCluster', { tenantId, name: randomUUID() }, 'cluster { id }')).cluster?.id
const newReplica = async (app: TestApp) =>
  (await made(app, 'registerReplica', { address: `http://${randomUUID()}.example/` }, 'replica { id }')).replica?.id
const token = ({ tenantId }: World) => ({
  ...{ tenantId, name: 'ci', role: 'EDITOR' },
  expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
})
const newToken = async (world: World, app: TestApp) =>
  (await made(app, 'createAccessToken', token(world), 'credential { id }')).credential?.id
const newKey = ({ clusterId }: World, app: TestApp) =>
  made(app, 'createEnrollmentKey', { clusterId, name: 'key' }, 'token enrollmentKey { id }')
const newPublicKey = () => formatPublicKey(generateNodeKeyPair().publicKey)

/** Stores a version that nothing needs. */
async function newBundle({ tenantId, clusterId }: World, { database }: TestApp, version: number): Promise<number> {
  await database.client.configBundle.create({ data: { ...bundleData, tenantId, clusterId, version } })
  return version
}

/** The input of each mutation that an operator may call, and that raises no version or is not in `bumping`. */
const further: Readonly<Record<string, Input>> = {
  createTenant: () => ({ name: 'new tenant' }),
  renameTenant: ({ tenantId }) => ({ tenantId, name: 'renamed tenant' }),
  updateTenant: ({ tenantId }) => ({ tenantId, description: 'noted' }),
  deleteTenant: async (_world, app) => ({ id: await newTenant(app) }),
  createCluster: ({ tenantId }) => ({ tenantId, name: 'new cluster' }),
  renameCluster: ({ clusterId }) => ({ clusterId, name: 'renamed cluster' }),
  updateCluster: ({ clusterId }) => ({ clusterId, description: 'noted' }),
  deleteCluster: async (world, app) => ({ clusterId: await newCluster(world, app) }),
  importClusterPki: async (world, app) => {
    const ca = newCa()
    return { clusterId: await newCluster(world, app), caCertificate: ca.certificate.pem, caKey: exportCaKey(ca) }
  },
  updateNode: ({ nodeId }) => ({ nodeId, description: 'noted' }),
  deleteClusterState: async ({ clusterId }, { database }) => {
    const { instanceId } = await database.client.clusterState.findFirstOrThrow({ where: { clusterId } })
    return { clusterId, instanceId }
  },
  deleteConfigBundle: async (world, app) => ({
    clusterId: world.clusterId,
    version: await newBundle(world, app, 2000),
  }),
  deleteOldConfigBundles: async (world, app) => {
    for (const version of [2001, 2002, 2003]) await newBundle(world, app, version)
    return { clusterId: world.clusterId, keep: 1 }
  },
  createAccessToken: (world) => token(world),
  rotateAccessToken: async (world, app) => ({ id: await newToken(world, app), graceSeconds: 60 }),
  revokeCredential: async (world, app) => ({ id: await newToken(world, app) }),
  createEnrollmentKey: ({ clusterId }) => ({ clusterId, name: 'new key', groups: ['web'] }),
  revokeEnrollmentKey: async (world, app) => ({ id: (await newKey(world, app)).enrollmentKey?.id }),
  registerReplica: () => ({ address: 'http://new.example/' }),
  updateReplicaRole: async (_world, app) => ({ id: await newReplica(app), role: 'MASTER' }),
  deleteReplica: async (_world, app) => ({ id: await newReplica(app) }),
  pruneStaleReplicas: () => ({}),
}

const byOperator =
  (make: Input): MakeCall =>
  async (world, app) => ({ input: await make(world, app), token: app.operator })

/**
 * A call of each mutation that is in the audit trail, in an order in which each succeeds. Operators call what they may:
 * they belong to no tenant, so that the tenant of the event can only be that of the rows.
 */
export const calls: Readonly<Record<string, MakeCall>> = {
  ...Object.fromEntries(Object.entries({ ...bumping, ...further }).map(([name, make]) => [name, byOperator(make)])),
  // With a change that shows a secret.
  changeCluster: byOperator(({ clusterId }) => ({ clusterId, changes: [{ createNode: { name: 'one of several' } }] })),
  enrollNode: async (world, app) => ({
    input: { name: 'a machine', publicKey: newPublicKey() },
    token: (await newKey(world, app)).token ?? '',
  }),
  renewNodeCertificate: async (world, app) => ({
    input: { publicKey: newPublicKey() },
    token: (await newNode(app, world)).token,
  }),
}
