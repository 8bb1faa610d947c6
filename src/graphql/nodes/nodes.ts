import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { findNode, getNode, getNodeById, listClusterNodes, listNodes } from '../../domain/nodes/nodes.ts'
import { nodeCertificateStatus } from '../../domain/pki/certificate-status.ts'
import { routesOf } from '../../domain/nodes/routes.ts'
import { operatorIn, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { CertificateStatus } from '../clusters/certificate-status.ts'
import { Cluster, clusterOf } from '../clusters/clusters.ts'
import { resolveConnection } from '../kit/connection.ts'
import { referredTo } from '../rows/referred.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

export const Node = builder.prismaObject('Node', {
  description:
    'A machine of a cluster: its place in the overlay, what lies behind it, its certificate, and what its agent reports.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Given when the node is created.' }),
    name: t.exposeString('name', { description: 'Unique in the cluster; the name in its certificate.' }),
    cluster: t.field({
      type: Cluster,
      description: 'The network it belongs to.',
      select: { clusterId: true },
      // A node that asks who it is has the cluster in its row (viewer.ts).
      resolve: (node, _args, context, info) => clusterOf(node, context, info),
    }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant whose network that is.',
      select: { tenantId: true },
      resolve: ({ tenantId }, _args, context, info) => loadTenant(tenantId, context, info),
    }),
    isAdmin: t.exposeBoolean('isAdmin', {
      description: 'Whether its token may manage the nodes, tokens and bundles of its cluster.',
    }),
    mtu: t.exposeInt('mtu', { description: 'The largest packet of its tunnel device, in bytes: 1280 to 9000.' }),
    routes: t.field({
      type: ['CIDR'],
      description: 'Networks outside of the overlay that are reached through the node (Nebula’s unsafe routes).',
      select: { routes: true },
      resolve: (node) => [...routesOf(node)],
    }),
    routesUpdatedAt: t.expose('routesUpdatedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When its routes were last set; null when they never were.',
    }),
    isLighthouse: t.exposeBoolean('isLighthouse', {
      description: 'Whether the other nodes ask it where their peers are.',
    }),
    lighthousePublicIp: t.expose('lighthousePublicIp', {
      type: 'IP',
      nullable: true,
      description: 'Where the others find the lighthouse, outside of the overlay; null when that is not known.',
    }),
    lighthousePort: t.expose('lighthousePort', {
      type: 'Port',
      nullable: true,
      description: 'The lighthouse’s UDP port; null means the cluster’s `lighthousePort`.',
    }),
    isRelay: t.exposeBoolean('isRelay', {
      description: 'Whether it passes on packets between nodes that cannot reach each other directly.',
    }),
    lighthouseRelayUpdatedAt: t.expose('lighthouseRelayUpdatedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When its lighthouse or relay settings were last set; null when they never were.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When the node was created.' }),
    overlayIp: t.expose('overlayIp', {
      type: 'IP',
      description: 'Its address in the overlay; unique in the cluster, and the same for as long as the node exists.',
    }),
    groups: t.stringList({
      description: 'Groups in its certificate, which firewall rules speak of.',
      select: { groups: true },
      // Only the domain writes the column, as a list of texts.
      resolve: ({ groups }) => groups as string[],
    }),
    publicKey: t.exposeString('publicKey', {
      nullable: true,
      description: 'Its X25519 public key, PEM; null until the node sent it. The private key never leaves the machine.',
    }),
    certificate: t.exposeString('certificate', {
      nullable: true,
      description: 'The certificate that the cluster’s CA signed, PEM; null until there is a public key.',
    }),
    certificateFingerprint: t.exposeString('certificateFingerprint', {
      nullable: true,
      description: 'SHA-256 of that certificate, 64 hex digits; null when there is none.',
    }),
    certificateExpiresAt: t.expose('certificateExpiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'Until when the certificate is valid; null when there is none.',
    }),
    certificateStatus: t.field({
      type: CertificateStatus,
      nullable: true,
      description:
        'What has become of the certificate as time goes, by the cluster’s `certificateLifetimeDays`; `ENDED`, too, when every CA has ended that the cluster’s nodes trust. Null when there is none.',
      select: { clusterId: true, certificateExpiresAt: true },
      resolve: ({ clusterId, certificateExpiresAt }, _args, context) =>
        nodeCertificateStatus(scopeOf(context), { clusterId, certificateExpiresAt }),
    }),
    runningConfigVersion: t.exposeInt('runningConfigVersion', {
      nullable: true,
      description:
        'The version of the configuration that it runs, as its agent says; null before the first report. About a second old at most.',
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When its agent last reported, polled or held a stream open; null before it did so first. Without other news it is written once a minute: of a node that is there it lies two minutes back at most.',
    }),
    nebulaVersion: t.exposeString('nebulaVersion', {
      nullable: true,
      description: 'The version of Nebula on the machine; null before the first report.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description:
        'Why the newest version does not run, as its agent says; null when nothing is wrong. About a second old at most.',
    }),
  }),
})

/** The node of a row, with the columns that the query asks for. */
export const loadNode = referredTo<NodeRow>({
  what: 'node',
  columns: { type: 'Node' },
  find: (context, id, columns) => findNode(scopeOf(context), id, columns),
})

const NodeFilter = builder.inputType('NodeFilter', {
  description: 'Which nodes to list; what is left out does not narrow the list.',
  fields: (t) => ({
    name: t.string({ description: 'Part of the name, upper and lower case alike.' }),
    isLighthouse: t.boolean({ description: 'Only lighthouses, or only others.' }),
    isRelay: t.boolean({ description: 'Only relays, or only others.' }),
    isAdmin: t.boolean({ description: 'Only admin nodes, or only others.' }),
    hasRoutes: t.boolean({ description: 'Only nodes that networks are reached through, or only others.' }),
    outdated: t.boolean({
      description: 'Only nodes that run an older version than the newest published one (or none), or only others.',
    }),
  }),
})

const NodeConnection = builder.connectionObject(
  { type: Node, name: 'NodeConnection', description: 'A page of nodes, by name.' },
  { name: 'NodeEdge', description: 'A node and its place in the list.' },
)

builder.queryFields((t) => ({
  node: t.prismaField({
    type: Node,
    nullable: true,
    description:
      'One node; null when it does not exist or is not yours. For operators, tenant admins and viewers, and nodes of the same cluster.',
    authScopes: { clusterReader: true },
    args: { id: t.arg({ type: 'UUID', required: true, description: 'The node’s id.' }) },
    resolve: (query, _root, { id }, context) => {
      const operator = operatorIn(context.session)
      return operator ? getNodeById(operator.scope, id, query) : getNode(scopeOf(context), id, query)
    },
  }),
  nodes: t.connection(
    {
      type: Node,
      description:
        'The nodes of a cluster, by name; none when the cluster does not exist or is not yours. For operators, tenant admins and viewers, and nodes of the same cluster.',
      authScopes: { clusterReader: true },
      args: {
        clusterId: t.arg({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
        filter: t.arg({ type: NodeFilter, description: 'Which of them; all when null.' }),
      },
      resolve: (_root, { clusterId, filter, ...args }, context, info) =>
        resolveConnection<NodeRow>(listClusterNodes(clusterId, filter ?? {}), { args, context, info }),
    },
    NodeConnection,
  ),
}))

builder.objectField(Cluster, 'nodes', (t) =>
  t.connection(
    {
      type: Node,
      description: 'The cluster’s nodes, by name.',
      args: { filter: t.arg({ type: NodeFilter, description: 'Which of them; all when null.' }) },
      resolve: ({ id }, { filter, ...args }, context, info) =>
        resolveConnection<NodeRow>(listNodes(filter ?? {}), { args, context, info, parentId: id }),
    },
    NodeConnection,
  ),
)
