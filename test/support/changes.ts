import { packBundle } from '../../src/domain/bundles/compile/pack.ts'
import type { TestApp } from './app.ts'
import { send } from './multipart.ts'
import { fileMark } from './schema-walk.ts'
import { createNode, type World } from './world.ts'

export type Input = (world: World, app: TestApp) => Promise<Record<string, unknown>> | Record<string, unknown>

/** The input of each mutation that by itself raises a version; there are no others. */
export const bumping: Record<string, Input> = {
  createNode: ({ clusterId }) => ({ clusterId, name: 'another' }),
  deleteNode: async ({ clusterId, admin }, app) => ({
    nodeId: (await createNode(app, admin, { clusterId, name: 'to-be-deleted' })).id,
  }),
  rotateNodeToken: ({ nodeId }) => ({ nodeId }),
  renameNode: ({ nodeId }) => ({ nodeId, name: 'renamed' }),
  updateNodeMtu: ({ nodeId }) => ({ nodeId, mtu: 1400 }),
  updateNodeRoutes: ({ nodeId }) => ({ nodeId, routes: ['192.168.2.0/24'] }),
  updateNodeLighthouse: ({ nodeId }) => ({ nodeId, isLighthouse: true, lighthousePublicIp: '203.0.113.9' }),
  updateNodeRelay: ({ nodeId }) => ({ nodeId, isRelay: true }),
  updateNodeGroups: ({ nodeId }) => ({ nodeId, groups: ['web'] }),
  updateNodeAdmin: ({ nodeId }) => ({ nodeId, isAdmin: true }),
  updateNodes: ({ nodeId }) => ({ ids: [nodeId], addGroups: ['many'] }),
  blockNodes: ({ nodeId }) => ({ ids: [nodeId] }),
  unblockNodes: ({ nodeId }) => ({ ids: [nodeId] }),
  rotateNodeTokens: ({ nodeId }) => ({ ids: [nodeId] }),
  deleteNodes: async ({ clusterId, admin }, app) => ({
    ids: [(await createNode(app, admin, { clusterId, name: 'one-of-many' })).id],
  }),
  changeCluster: ({ clusterId }) => ({ clusterId, changes: [{ updateClusterLighthouse: { lighthousePort: 4244 } }] }),
  updateClusterLighthouse: ({ clusterId }) => ({ clusterId, lighthousePort: 4243 }),
  updateClusterFirewall: ({ clusterId }) => ({ clusterId, firewall: { inbound: [], outbound: [] } }),
  updateClusterEnrollment: ({ clusterId }) => ({ clusterId, enrollGroups: ['web'] }),
  updateClusterCaRotation: ({ clusterId }) => ({ clusterId, automatic: false }),
  updateClusterCertificates: ({ clusterId }) => ({ clusterId, certificateLifetimeDays: 60 }),
  rotateClusterToken: ({ clusterId }) => ({ clusterId }),
  rotateClusterCa: ({ clusterId }) => ({ clusterId }),
  abortClusterCaRotation: ({ clusterId }) => ({ clusterId }),
  publishClusterConfig: ({ clusterId }) => ({ clusterId }),
  createConfigBundle: ({ clusterId }) => ({ clusterId, archive: fileMark }),
  rollbackClusterConfig: async ({ clusterId }, app) => {
    const latest = await app.database.client.cluster.findUniqueOrThrow({ where: { id: clusterId } })
    return { clusterId, version: latest.sharedConfigVersion }
  },
}

/** Calls a mutation of the form `name(input: NameInput!): NameResult!`, with a small bundle for an archive. */
export async function callWith(
  app: TestApp,
  token: string,
  name: string,
  { input, select }: { readonly input: Record<string, unknown>; readonly select: string },
) {
  const title = name.charAt(0).toUpperCase() + name.slice(1)
  const query = `mutation ($input: ${title}Input!) { ${name}(input: $input) { ${select} } }`
  const archive = await packBundle([{ path: 'config.yml', content: 'punchy:\n  punch: true\n' }])
  return send(app, token, query, { input }, archive)
}
