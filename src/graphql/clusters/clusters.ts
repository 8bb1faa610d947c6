import type { GraphQLResolveInfo } from 'graphql'

import type { Cluster as ClusterRow } from '../../db/generated/sqlite/client.ts'
import {
  clusterFirewall,
  type Firewall as FirewallShape,
  type FirewallRule as FirewallRuleShape,
  protocols,
} from '../../domain/clusters/firewall.ts'
import {
  findCluster,
  getCluster,
  getClusterById,
  type ClusterFields,
  listAllClusters,
  listClusters,
  type ClusterFilter as Filter,
  type ClusterOrder as Order,
} from '../../domain/clusters/clusters.ts'
import { automaticRotationAt } from '../../domain/pki/ca-rotation-due.ts'
import { areKeysOpen, sealedKeys } from '../../domain/pki/closed-keys.ts'
import { caDetails } from '../../domain/pki/cluster-ca.ts'
import { lifetimeDaysOf, statusAt } from '../../domain/pki/ends.ts'
import { revokedFingerprints } from '../../domain/signing/revocation.ts'
import { operatorIn, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { ClusterFilter, ClusterOrder } from './cluster-filter.ts'
import { CertificateStatus } from './certificate-status.ts'
import { resolveConnection } from '../kit/connection.ts'
import type { Context } from '../kit/context.ts'
import { requestedColumns } from '../rows/requested-columns.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

export const Protocol = builder.enumType('FirewallProtocol', {
  description: 'The protocol that a firewall rule applies to.',
  values: Object.fromEntries(
    protocols.map((protocol) => [
      protocol.toUpperCase(),
      { value: protocol, description: protocol === 'any' ? 'Every protocol.' : `${protocol.toUpperCase()} only.` },
    ]),
  ),
})

/** What the fields of a rule do, tested with packets on Nebula 1.6.1, 1.9.3 and 1.11.0. For output and input alike. */
export const ruleFields = {
  port: '`any`, a port, or a range such as `200-300`, on the side that is reached; or `fragment` for the second and further fragments of a packet, which have no port. Use `any` with `ICMP`, which has no ports.',
  proto: 'The protocol.',
  host: 'The name in the other side’s certificate; `any` matches every peer.',
  group: 'A group in the other side’s certificate; `any` matches every peer.',
  groups: 'Groups that must all be in the other side’s certificate; `any` alone matches every peer.',
  cidr: 'The IPv4 network that must contain the other side’s overlay address; `0.0.0.0/0` matches every peer. Any other network that contains 0.0.0.0 is refused: Nebula before 1.11 takes it for every address.',
  localCidr:
    'The network that must contain the address on this side: that of the node, or one behind its routes; null matches all addresses. If no other field says which peers the rule is for, it lets every peer reach that network. Needs Nebula 1.9 on every node: older versions ignore it and would let the peers of the rule reach every address.',
  caName: 'The name of the CA that signed the other side.',
  caSha: 'The fingerprint of the CA that signed the other side, 64 hex digits.',
} as const

export const FirewallRule = builder.objectRef<FirewallRuleShape>('FirewallRule').implement({
  description:
    'One rule of Nebula’s firewall: a packet passes if it matches every field that is not null. At most one of `host`, `group`, `groups` and `cidr` says who the other side is, and at most one of `caName` and `caSha` says which CA signed it.',
  fields: (t) => ({
    port: t.exposeString('port', { description: ruleFields.port }),
    proto: t.expose('proto', { type: Protocol, description: ruleFields.proto }),
    host: t.exposeString('host', { nullable: true, description: ruleFields.host }),
    group: t.exposeString('group', { nullable: true, description: ruleFields.group }),
    groups: t.exposeStringList('groups', { nullable: true, description: ruleFields.groups }),
    cidr: t.expose('cidr', { type: 'CIDR', nullable: true, description: ruleFields.cidr }),
    localCidr: t.expose('localCidr', { type: 'CIDR', nullable: true, description: ruleFields.localCidr }),
    caName: t.exposeString('caName', { nullable: true, description: ruleFields.caName }),
    caSha: t.exposeString('caSha', { nullable: true, description: ruleFields.caSha }),
  }),
})

const Firewall = builder.objectRef<FirewallShape>('Firewall').implement({
  description:
    'Which packets the nodes of a cluster let in and out inside the overlay. A packet that no rule allows is dropped.',
  fields: (t) => ({
    inbound: t.field({
      type: [FirewallRule],
      description: 'Rules for packets that reach a node.',
      resolve: (one) => [...one.inbound],
    }),
    outbound: t.field({
      type: [FirewallRule],
      description: 'Rules for packets that leave a node.',
      resolve: (one) => [...one.outbound],
    }),
  }),
})

export const Cluster = builder.prismaObject('Cluster', {
  description: 'One Nebula network of a tenant: its address space, its CA, its nodes and its versioned configuration.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'The cluster’s id, assigned when it is created.' }),
    name: t.exposeString('name', { description: 'Unique among the clusters of the tenant.' }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant that owns the cluster.',
      select: { tenantId: true },
      resolve: ({ tenantId }, _args, context, info) => loadTenant(tenantId, context, info),
    }),
    provideLighthouse: t.exposeBoolean('provideLighthouse', {
      description: 'Whether the control plane itself provides a lighthouse for the cluster.',
    }),
    lighthousePort: t.expose('lighthousePort', {
      type: 'Port',
      description: 'The UDP port of lighthouses that have no port of their own.',
    }),
    configVersion: t.expose('configVersion', {
      type: 'PositiveInt',
      description:
        'The version of the configuration that nodes are to run; every change of what nodes must run raises it.',
    }),
    networkCidr: t.expose('networkCidr', {
      type: 'CIDR',
      description: 'The overlay network; node addresses are allocated from it.',
    }),
    firewall: t.field({
      type: Firewall,
      description: 'The firewall rules that every node applies.',
      select: { firewall: true },
      resolve: clusterFirewall,
    }),
    certificateVersion: t.expose('certificateVersion', {
      type: 'PositiveInt',
      description: 'The format of its certificates: 1; or 2, which needs Nebula 1.10 or newer.',
    }),
    caCertificate: t.string({
      nullable: true,
      description: 'The CA’s certificate, PEM; null until the cluster has a CA. Its key is never shown.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => pkiCaCert,
    }),
    revokedFingerprints: t.stringList({
      description: 'Fingerprints of revoked certificates, in hex; every node has them in its `pki.blocklist`.',
      select: { pkiCrl: true },
      resolve: (cluster) => revokedFingerprints(cluster),
    }),
    caFingerprint: t.string({
      nullable: true,
      description: 'The fingerprint of the CA that signs, 64 hex digits; null until the cluster has a CA.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => (pkiCaCert === null ? null : caDetails(pkiCaCert).fingerprint),
    }),
    caExpiresAt: t.field({
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When the CA that signs, and with it every certificate that it signed, ends; null until the cluster has a CA.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => (pkiCaCert === null ? null : caDetails(pkiCaCert).notAfter),
    }),
    caStatus: t.field({
      type: CertificateStatus,
      nullable: true,
      description:
        'How close the CA that signs is to its end. Once it has ended, no node lets another in. Null until the cluster has a CA.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => {
        if (pkiCaCert === null) return null
        const ca = caDetails(pkiCaCert)
        return statusAt(ca.notAfter, lifetimeDaysOf(ca), new Date())
      },
    }),
    caRotatesAutomatically: t.exposeBoolean('caRotationAutomatic', {
      description:
        'Whether its CA is replaced automatically before it ends (`updateClusterCaRotation` sets this). The master then begins the same rotation as `rotateClusterCa`, to a CA with the same lifetime.',
    }),
    caRotationDueAt: t.field({
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When the automatic rotation is due, give or take an hour: 30 days before the CA ends, or when a quarter of its lifetime is left if that is later. Null if automatic rotation is off, if a rotation is already in progress, or if there is no CA with its key. It does not begin while `canBeSignedFor` is false.',
      select: { pkiCaCert: true, pkiCaKey: true, caRotationAutomatic: true, caRotationPhase: true },
      resolve: (cluster) => automaticRotationAt(cluster),
    }),
    canBeSignedFor: t.boolean({
      description:
        'Whether the server can sign certificates and bundles for the cluster. False if the cluster’s keys cannot be opened with the server’s secret: every change is then refused with a ConflictError until `importClusterPki` or `rotateClusterCa` repairs the cluster.',
      select: { ...sealedKeys },
      resolve: (cluster, _args, { vault }) => areKeysOpen(vault, cluster),
    }),
    certificateLifetimeDays: t.exposeInt('certificateLifetimeDays', {
      description: 'How long a node’s certificate is valid, in days. Agents renew it before it ends.',
    }),
    enrollGroups: t.stringList({
      description: 'Groups that a machine may ask for when it enrolls itself.',
      select: { enrollGroups: true },
      // Only the domain writes the column, as a list of texts.
      resolve: ({ enrollGroups }) => enrollGroups as string[],
    }),
    bundleSigningKey: t.exposeString('bundlePublicKey', {
      nullable: true,
      description:
        'The public key that verifies the cluster’s bundles: Ed25519, 32 bytes in base64; null until the cluster has one.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When the cluster was created.' }),
  }),
})

/** A row with the columns of its cluster that were read together with it. */
export interface WithCluster {
  readonly cluster: Partial<ClusterFields>
}

const clusterColumns = { type: 'Cluster', computed: true }

/** The cluster of a row, with the columns that the query asks for. */
export const loadCluster = (id: string, context: Context, info: GraphQLResolveInfo): Promise<ClusterRow> =>
  context.loaders.row<ClusterFields>(id, info, clusterColumns, (one, columns) =>
    findCluster(scopeOf(context), one, columns),
  )

/** The cluster of a row: the one that was read with the row, if that has all columns that the query asks for. */
export function clusterOf(
  row: { readonly clusterId: string } & Partial<WithCluster>,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<ClusterRow> | ClusterRow {
  const { clusterId, cluster } = row
  const isRead = cluster && requestedColumns(info, clusterColumns).every((column) => column in cluster)
  return isRead ? (cluster as ClusterRow) : loadCluster(clusterId, context, info)
}

const ClusterConnection = builder.connectionObject(
  {
    type: Cluster,
    name: 'ClusterConnection',
    description: 'A page of clusters, ordered by name unless another order is asked for.',
  },
  { name: 'ClusterEdge', description: 'A cluster and its cursor.' },
)

builder.queryFields((t) => ({
  cluster: t.prismaField({
    type: Cluster,
    nullable: true,
    description: 'One cluster; null when it does not exist or is not yours. For everybody but enrolling machines.',
    authScopes: { clusterReader: true },
    args: { id: t.arg({ type: 'UUID', required: true, description: 'The cluster’s id.' }) },
    resolve: (query, _root, { id }, context) => {
      const operator = operatorIn(context.session)
      return operator ? getClusterById(operator.scope, id, query) : getCluster(scopeOf(context), id, query)
    },
  }),
  clusters: t.connection(
    {
      type: Cluster,
      description:
        'The clusters that you can see: those of every tenant for operators, those of your tenant for its admins and viewers, your own for nodes.',
      authScopes: { clusterReader: true },
      args: {
        filter: t.arg({ type: ClusterFilter, description: 'Which clusters to list; all when null.' }),
        orderBy: t.arg({ type: ClusterOrder, description: 'In which order; by name when null.' }),
      },
      resolve: (_root, { filter, orderBy, ...args }, context, info) =>
        resolveConnection<ClusterRow>(clustersSeen(context, filter ?? {}, orderBy ?? undefined), {
          args,
          context,
          info,
        }),
    },
    ClusterConnection,
  ),
}))

function clustersSeen(context: Context, filter: Filter, orderBy?: Order) {
  const operator = operatorIn(context.session)
  return operator ? listAllClusters(operator.scope, filter, orderBy) : listClusters(filter, orderBy)
}

builder.objectField(Tenant, 'clusters', (t) =>
  t.connection(
    {
      type: Cluster,
      description: 'The tenant’s clusters; a node sees only its own.',
      args: {
        filter: t.arg({ type: ClusterFilter, description: 'Which clusters to list; all when null.' }),
        orderBy: t.arg({ type: ClusterOrder, description: 'In which order; by name when null.' }),
      },
      resolve: ({ id }, { filter, orderBy, ...args }, context, info) =>
        resolveConnection<ClusterRow>(listClusters(filter ?? {}, orderBy ?? undefined), {
          args,
          context,
          info,
          parentId: id,
        }),
    },
    ClusterConnection,
  ),
)
