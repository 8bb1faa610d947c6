import type { GraphQLResolveInfo } from 'graphql'

import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { findNode, getNode, getNodeById } from '../../domain/nodes/nodes.ts'
import { nodeCertificateStatus } from '../../domain/pki/certificate-status.ts'
import { routesOf } from '../../domain/nodes/routes.ts'
import { operatorIn, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { CertificateStatus } from '../clusters/certificate-status.ts'
import { Cluster, clusterOf } from '../clusters/clusters.ts'
import type { Context } from '../kit/context.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

export const Node = builder.prismaObject('Node', {
  description: 'A machine of a cluster: its overlay address, its routes, its certificate, and what its agent reports.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'The node’s id, assigned when it is created.' }),
    name: t.exposeString('name', { description: 'Unique in the cluster; the name in its certificate.' }),
    cluster: t.field({
      type: Cluster,
      description: 'The cluster that it belongs to.',
      select: { clusterId: true },
      // In a node's own `viewer` query, the row already holds the cluster (viewer.ts).
      resolve: (node, _args, context, info) => clusterOf(node, context, info),
    }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant that owns the cluster.',
      select: { tenantId: true },
      resolve: ({ tenantId }, _args, context, info) => loadTenant(tenantId, context, info),
    }),
    isAdmin: t.exposeBoolean('isAdmin', {
      description: 'Whether its token may manage the nodes, tokens and bundles of its cluster.',
    }),
    mtu: t.exposeInt('mtu', { description: 'The largest packet of its tunnel device, in bytes: 1280 to 9000.' }),
    routes: t.field({
      type: ['CIDR'],
      description: 'Networks outside the overlay that are reached through the node (Nebula’s unsafe routes).',
      select: { routes: true },
      resolve: (node) => [...routesOf(node)],
    }),
    routesUpdatedAt: t.expose('routesUpdatedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When its routes were last set; null if they never were.',
    }),
    isLighthouse: t.exposeBoolean('isLighthouse', {
      description: 'Whether the other nodes ask it where their peers are.',
    }),
    lighthousePublicIp: t.expose('lighthousePublicIp', {
      type: 'IP',
      nullable: true,
      description: 'The underlay address at which the other nodes reach the lighthouse; null when it is not known.',
    }),
    lighthousePort: t.expose('lighthousePort', {
      type: 'Port',
      nullable: true,
      description: 'The lighthouse’s UDP port; null means the cluster’s `lighthousePort`.',
    }),
    isRelay: t.exposeBoolean('isRelay', {
      description: 'Whether it relays packets between nodes that cannot reach each other directly.',
    }),
    lighthouseRelayUpdatedAt: t.expose('lighthouseRelayUpdatedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When its lighthouse or relay settings were last set; null if they never were.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When the node was created.' }),
    overlayIp: t.expose('overlayIp', {
      type: 'IP',
      description: 'Its overlay address: unique in the cluster, and fixed for as long as the node exists.',
    }),
    groups: t.stringList({
      description: 'The groups in its certificate, which firewall rules refer to.',
      select: { groups: true },
      // Only the domain writes the column, as a list of texts.
      resolve: ({ groups }) => groups as string[],
    }),
    publicKey: t.exposeString('publicKey', {
      nullable: true,
      description:
        'Its X25519 public key, PEM; null until the node has sent it. The private key never leaves the machine.',
    }),
    certificate: t.exposeString('certificate', {
      nullable: true,
      description: 'The certificate that the cluster’s CA signed, PEM; null until there is a public key.',
    }),
    certificateFingerprint: t.exposeString('certificateFingerprint', {
      nullable: true,
      description: 'The SHA-256 fingerprint of the certificate, 64 hex digits; null when there is no certificate.',
    }),
    certificateExpiresAt: t.expose('certificateExpiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When the certificate ends; null when there is no certificate.',
    }),
    certificateStatus: t.field({
      type: CertificateStatus,
      nullable: true,
      description:
        'How close the certificate is to its end, for the cluster’s `certificateLifetimeDays`. Also `ENDED` when every CA that the cluster’s nodes trust has ended. Null when there is no certificate.',
      select: { clusterId: true, certificateExpiresAt: true },
      resolve: ({ clusterId, certificateExpiresAt }, _args, context) =>
        nodeCertificateStatus(scopeOf(context), { clusterId, certificateExpiresAt }),
    }),
    blockedAt: t.expose('blockedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When an admin blocked it; null while it is not blocked. A blocked node has no certificate, no other node talks to it, and its token is refused.',
    }),
    runningConfigVersion: t.exposeInt('runningConfigVersion', {
      nullable: true,
      description:
        'The version of the configuration that it runs, as its agent reported it; null before the first report. Up to about a second old.',
    }),
    lastSeenAt: t.expose('lastSeenAt', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When its agent last reported, polled or held a stream open; null before the first time. Without other news it is written once a minute: for a node that is alive it is at most two minutes old.',
    }),
    nebulaVersion: t.exposeString('nebulaVersion', {
      nullable: true,
      description: 'The version of Nebula on the machine; null before the first report.',
    }),
    ephemeralSeconds: t.exposeInt('ephemeralSeconds', {
      nullable: true,
      description:
        'After how many seconds without contact the node is removed, a few minutes later at most; null for a node that stays. Its enrollment key said so.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description:
        'Why the newest version does not run, as its agent reported it; null when nothing is wrong. Up to about a second old.',
    }),
  }),
})

/** The node of a row, with the columns that the query asks for. */
export const loadNode = (id: string, context: Context, info: GraphQLResolveInfo): Promise<NodeRow> =>
  context.loaders.row<NodeRow>(id, info, nodeColumns, (one, columns) => findNode(scopeOf(context), one, columns))

export const nodeColumns = { type: 'Node' }

builder.queryFields((t) => ({
  node: t.prismaField({
    type: Node,
    nullable: true,
    description:
      'One node; null when it does not exist or is not yours. For operators, people of the tenant, and nodes of the same cluster.',
    authScopes: { clusterReader: true },
    args: { id: t.arg({ type: 'UUID', required: true, description: 'The node’s id.' }) },
    resolve: (query, _root, { id }, context) => {
      const operator = operatorIn(context.session)
      return operator ? getNodeById(operator.scope, id, query) : getNode(scopeOf(context), id, query)
    },
  }),
}))
