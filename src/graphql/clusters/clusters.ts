import type { GraphQLResolveInfo } from 'graphql'

import type { Cluster as ClusterRow } from '../../db/generated/sqlite/client.ts'
import {
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
} from '../../domain/clusters/clusters.ts'
import { automaticRotationAt } from '../../domain/pki/ca-rotation-due.ts'
import { areKeysOpen, sealedKeys } from '../../domain/pki/closed-keys.ts'
import { caDetails } from '../../domain/pki/cluster-ca.ts'
import { lifetimeDaysOf, statusAt } from '../../domain/pki/ends.ts'
import { revokedFingerprints } from '../../domain/signing/revocation.ts'
import { operatorIn, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { CertificateStatus } from './certificate-status.ts'
import { resolveConnection } from '../kit/connection.ts'
import type { Context } from '../kit/context.ts'
import { referredTo } from '../rows/referred.ts'
import { requestedColumns } from '../rows/requested-columns.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

export const Protocol = builder.enumType('FirewallProtocol', {
  description: 'What a firewall rule applies to.',
  values: Object.fromEntries(
    protocols.map((protocol) => [
      protocol.toUpperCase(),
      { value: protocol, description: protocol === 'any' ? 'Every protocol.' : `${protocol.toUpperCase()} only.` },
    ]),
  ),
})

/** What the fields of a rule do, found by packets with Nebula 1.6.1, 1.9.3 and 1.11.0; said alike of what is read and written. */
export const ruleFields = {
  port: '`any`, a port, or a range such as `200-300`, of the side that is reached; or `fragment`: the second and further parts of packets that were cut, which have no port. `any` with `ICMP`, which has none either.',
  proto: 'The protocol.',
  host: 'The name in the other side’s certificate; `any` is everybody.',
  group: 'A group in the other side’s certificate; `any` is everybody.',
  groups: 'Groups that are all in the other side’s certificate; `any` alone is everybody.',
  cidr: 'Where the other side’s overlay address lies: a network of IPv4, `0.0.0.0/0` for everybody. One with 0.0.0.0 in it is refused otherwise: Nebula before 1.11 takes it for every address.',
  localCidr:
    'Where the address on this side lies, of the node or of a network behind it; null is all of them. Alone, it is for everybody who comes to that network. Needs Nebula 1.9 on every node: an older one does not know it, and would let everybody whom the rule names in everywhere.',
  caName: 'The name of the CA that signed the other side.',
  caSha: 'The fingerprint of the CA that signed the other side, 64 hex digits.',
} as const

const FirewallRule = builder.objectRef<FirewallRuleShape>('FirewallRule').implement({
  description:
    'One rule of Nebula’s firewall: a packet passes that meets all of its fields; a null one asks for nothing. At most one of `host`, `group`, `groups` and `cidr` says who the other side is, and at most one of `caName` and `caSha` by which CA.',
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
  description: 'What the nodes of a cluster let in and out inside the overlay. What no rule allows is dropped.',
  fields: (t) => ({
    inbound: t.field({ type: [FirewallRule], description: 'What reaches a node.', resolve: (one) => [...one.inbound] }),
    outbound: t.field({
      type: [FirewallRule],
      description: 'What leaves a node.',
      resolve: (one) => [...one.outbound],
    }),
  }),
})

export const Cluster = builder.prismaObject('Cluster', {
  description: 'One Nebula network of a tenant: its address space, its CA, its nodes and its versioned configuration.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'Given when the cluster is created.' }),
    name: t.exposeString('name', { description: 'Unique among the clusters of the tenant.' }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant that it belongs to.',
      select: { tenantId: true },
      resolve: ({ tenantId }, _args, context, info) => loadTenant(tenantId, context, info),
    }),
    provideLighthouse: t.exposeBoolean('provideLighthouse', {
      description: 'Whether the control plane itself provides a lighthouse for the cluster.',
    }),
    lighthousePort: t.expose('lighthousePort', {
      type: 'Port',
      description: 'The UDP port of lighthouses that name none of their own.',
    }),
    configVersion: t.expose('configVersion', {
      type: 'PositiveInt',
      description: 'The version that is wanted; every change of what nodes must run raises it.',
    }),
    networkCidr: t.expose('networkCidr', {
      type: 'CIDR',
      description: 'The overlay network; node addresses are allocated from it.',
    }),
    firewall: t.field({
      type: Firewall,
      description: 'The rules that every node’s firewall holds.',
      select: { firewall: true },
      // Only domain/clusters/firewall.ts writes the column, in this shape.
      resolve: ({ firewall }) => firewall as unknown as FirewallShape,
    }),
    certificateVersion: t.expose('certificateVersion', {
      type: 'PositiveInt',
      description: 'The Nebula certificate format that its nodes can read: 1, or 2 from Nebula 1.10.',
    }),
    caCertificate: t.string({
      nullable: true,
      description: 'The CA’s certificate, PEM; null until the cluster has a CA. The key is never shown.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => pkiCaCert,
    }),
    revokedFingerprints: t.stringList({
      description: 'Fingerprints of revoked certificates, hex; every node’s `pki.blocklist`.',
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
      description: 'Until when that CA is valid, and what it signed; null until the cluster has a CA.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => (pkiCaCert === null ? null : caDetails(pkiCaCert).notAfter),
    }),
    caStatus: t.field({
      type: CertificateStatus,
      nullable: true,
      description:
        'What has become of that CA as time goes. Once it has ended, no node lets another in. Null until the cluster has a CA.',
      select: { pkiCaCert: true },
      resolve: ({ pkiCaCert }) => {
        if (pkiCaCert === null) return null
        const ca = caDetails(pkiCaCert)
        return statusAt(ca.notAfter, lifetimeDaysOf(ca), new Date())
      },
    }),
    caRotatesAutomatically: t.exposeBoolean('caRotationAutomatic', {
      description:
        'Whether its CA is replaced by itself before it ends (`updateClusterCaRotation` sets it): the master begins the same rotation as `rotateClusterCa`, to a CA that is valid for as long.',
    }),
    caRotationDueAt: t.field({
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When that begins, within an hour: 30 days before the CA’s end, or when a quarter of its life is left where that is later. Null where it does not: it is not wanted, a rotation runs already, or there is no CA. Not while `canBeSignedFor` is false.',
      select: { pkiCaCert: true, pkiCaKey: true, caRotationAutomatic: true, caRotationPhase: true },
      resolve: (cluster) => automaticRotationAt(cluster),
    }),
    canBeSignedFor: t.boolean({
      description:
        'Whether the server can sign certificates and bundles for it. False where the keys do not open under the server’s secret: then every change is refused with a ConflictError, and `importClusterPki` or `rotateClusterCa` puts it right.',
      select: { ...sealedKeys },
      resolve: (cluster, _args, { vault }) => areKeysOpen(vault, cluster),
    }),
    certificateLifetimeDays: t.exposeInt('certificateLifetimeDays', {
      description: 'How long a node’s certificate is valid, in days; agents renew theirs in time.',
    }),
    enrollGroups: t.stringList({
      description: 'Groups that a machine may ask for when it enrols itself.',
      select: { enrollGroups: true },
      // Only the domain writes the column, as a list of texts.
      resolve: ({ enrollGroups }) => enrollGroups as string[],
    }),
    bundleSigningKey: t.exposeString('bundlePublicKey', {
      nullable: true,
      description:
        'The public half of the key that signs the cluster’s bundles: Ed25519, 32 bytes in base64; null until it has one.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When the cluster was created.' }),
  }),
})

/** A row with what was read of its cluster for this very question. */
export interface WithCluster {
  readonly cluster: Partial<ClusterFields>
}

const clusterColumns = { type: 'Cluster', computed: true }

/** The cluster of a row, with the columns that the query asks for. */
export const loadCluster = referredTo<ClusterRow, ClusterFields>({
  what: 'cluster',
  columns: clusterColumns,
  find: (context, id, columns) => findCluster(scopeOf(context), id, columns),
})

/** The cluster of a row that may have been read with it, where that is all that the query asks for. */
export function clusterOf(
  row: { readonly clusterId: string } & Partial<WithCluster>,
  context: Context,
  info: GraphQLResolveInfo,
): Promise<ClusterRow> | ClusterRow {
  const { clusterId, cluster } = row
  const isRead = cluster && requestedColumns(info, clusterColumns).every((column) => column in cluster)
  return isRead ? (cluster as ClusterRow) : loadCluster(clusterId, context, info)
}

const ClusterFilter = builder.inputType('ClusterFilter', {
  description: 'Which clusters to list; what is left out does not narrow the list.',
  fields: (t) => ({
    name: t.string({ description: 'Part of the name, upper and lower case alike.' }),
    tenantId: t.field({ type: 'UUID', description: 'Only this tenant’s.' }),
  }),
})

const ClusterConnection = builder.connectionObject(
  { type: Cluster, name: 'ClusterConnection', description: 'A page of clusters, by name.' },
  { name: 'ClusterEdge', description: 'A cluster and its place in the list.' },
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
        'The clusters that you see, by name: every tenant’s for operators, your tenant’s for its admins, your own for nodes.',
      authScopes: { clusterReader: true },
      args: { filter: t.arg({ type: ClusterFilter, description: 'Which of them; all when null.' }) },
      resolve: (_root, { filter, ...args }, context, info) =>
        resolveConnection<ClusterRow>(clustersSeen(context, filter ?? {}), { args, context, info }),
    },
    ClusterConnection,
  ),
}))

function clustersSeen(context: Context, filter: Filter) {
  const operator = operatorIn(context.session)
  return operator ? listAllClusters(operator.scope, filter) : listClusters(filter)
}

builder.objectField(Tenant, 'clusters', (t) =>
  t.connection(
    {
      type: Cluster,
      description: 'The tenant’s clusters, by name; a node sees its own only.',
      args: { filter: t.arg({ type: ClusterFilter, description: 'Which of them; all when null.' }) },
      resolve: ({ id }, { filter, ...args }, context, info) =>
        resolveConnection<ClusterRow>(listClusters(filter ?? {}), { args, context, info, parentId: id }),
    },
    ClusterConnection,
  ),
)
