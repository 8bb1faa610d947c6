import type { GraphQLResolveInfo } from 'graphql'

import type { NodeSession, OperatorSession, SignedIn, TenantAdminSession } from '../../auth/session.ts'
import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { getCluster } from '../../domain/clusters/clusters.ts'
import { blocked, callerOf, unauthenticated } from '../kit/access.ts'
import type { PayloadFields } from '../changes/mutation.ts'
import { builder } from '../kit/builder.ts'
import type { WithCluster } from '../clusters/clusters.ts'
import type { Context } from '../kit/context.ts'
import { loadNode, Node, nodeColumns } from '../nodes/nodes.ts'
import { requestedColumns } from '../rows/requested-columns.ts'
import { tenantRoleValues } from './tenant-roles.ts'
import { loadTenant, Tenant } from './tenants.ts'

type OfCredential = Pick<OperatorSession, 'credentialId' | 'expiresAt' | 'scopes'>

/** What a person is told of the credential of the request. */
const credentialFields = <Shape extends OfCredential>(t: PayloadFields<Shape>) => ({
  credentialId: t.field({
    type: 'UUID',
    nullable: true,
    description: 'The credential of this request, as `credentials` lists it; null for a JWT, which is not stored.',
    resolve: ({ credentialId }) => credentialId,
  }),
  expiresAt: t.field({
    type: 'DateTimeISO',
    description: 'When the credential ends. A session that nobody uses ends before, after twelve hours.',
    resolve: ({ expiresAt }) => expiresAt,
  }),
  scopes: t.stringList({
    nullable: true,
    description: 'What the credential is limited to, such as `nodes:read`; null for everything that the role may.',
    resolve: ({ scopes }) => scopes && [...scopes],
  }),
})

const Operator = builder.objectRef<OperatorSession>('Operator').implement({
  description: 'A person who runs this control plane and may do everything.',
  fields: (t) => ({
    subject: t.exposeString('subject', {
      description: 'The operator’s name: the `sub` of the JWT, or the name that the sign-in link was made for.',
    }),
    ...credentialFields(t),
  }),
})

const TenantRole = builder.enumType('TenantRole', {
  description: 'What a person may do inside a tenant.',
  values: tenantRoleValues,
})

const TenantAdmin = builder.objectRef<TenantAdminSession>('TenantAdmin').implement({
  description: 'A person who belongs to a tenant, with a role in it.',
  fields: (t) => ({
    subject: t.exposeString('subject', { description: 'The person’s name: the `sub` of the JWT.' }),
    role: t.expose('role', { type: TenantRole, description: 'What the person may do.' }),
    clusterIds: t.field({
      type: ['UUID'],
      nullable: true,
      description:
        'The clusters that the person is limited to, by an access token or a rule of the identity provider, also those that do not exist; null for no limit.',
      resolve: ({ scope }) => scope.clusterIds && [...scope.clusterIds],
    }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant.',
      resolve: ({ scope }, _args, context, info) => loadTenant(scope.tenantId, context, info),
    }),
    ...credentialFields(t),
  }),
})

const enrollingFields = { id: true, name: true, networkCidr: true, pkiCaCert: true } as const

interface EnrollingMachineShape {
  readonly id: string
  readonly name: string
  readonly networkCidr: string
  readonly pkiCaCert: string | null
}

const EnrollingMachine = builder.objectRef<EnrollingMachineShape>('EnrollingMachine').implement({
  description:
    'A machine that holds a cluster’s token or an enrollment key, and is not a node yet. It sees only what it needs to enroll.',
  fields: (t) => ({
    clusterId: t.expose('id', { type: 'UUID', description: 'The cluster that the token or the key is for.' }),
    clusterName: t.exposeString('name', { description: 'The cluster’s name.' }),
    networkCidr: t.expose('networkCidr', { type: 'CIDR', description: 'The overlay network of the cluster.' }),
    caCertificate: t.exposeString('pkiCaCert', {
      nullable: true,
      description: 'The CA’s certificate, PEM; null until the cluster has a CA.',
    }),
  }),
})

const Viewer = builder.unionType('Viewer', {
  description: 'The caller.',
  types: [Operator, TenantAdmin, Node, EnrollingMachine],
  resolveType: (value) => {
    if (!('kind' in value)) return 'pkiCaCert' in value ? EnrollingMachine : Node
    switch (value.kind) {
      case 'operator':
        return Operator
      case 'tenantAdmin':
        return TenantAdmin
    }
  },
})

builder.queryField('viewer', (t) =>
  t.field({
    type: Viewer,
    description: 'The caller to whom the credential of this request belongs. For everybody who is signed in.',
    authScopes: { signedIn: true },
    resolve: (_root, _args, context, info) => viewerOf(callerOf(context), context, info),
  }),
)

type ViewerShape = OperatorSession | TenantAdminSession | NodeRow | EnrollingMachineShape

async function viewerOf(caller: SignedIn, context: Context, info: GraphQLResolveInfo): Promise<ViewerShape> {
  switch (caller.kind) {
    case 'operator':
    case 'tenantAdmin':
      return caller
    case 'node':
      return nodeItself(caller, context, info)
    case 'blockedNode':
      throw blocked()
    case 'enrollingMachine': {
      const cluster = await getCluster(caller.scope, caller.clusterId, { select: enrollingFields })
      return cluster ?? nobody()
    }
  }
}

/** A poll asks only for columns that authentication has just read, and needs no further query. */
function nodeItself(caller: NodeSession, context: Context, info: GraphQLResolveInfo) {
  const { nodeId: id, clusterId, name, isAdmin, scope, versions } = caller
  const { tenantId } = scope
  const cluster = { id: clusterId, tenantId, ...versions }
  const read = { id, tenantId, clusterId, name, isAdmin, cluster } satisfies WithCluster & Partial<NodeRow>
  const asked = requestedColumns(info, nodeColumns)
  // All columns that the query asks for are present.
  return asked.every((column) => column in read) ? (read as unknown as NodeRow) : loadNode(id, context, info)
}

/** The caller was deleted after it was authenticated and before it was looked up. */
function nobody(): never {
  throw unauthenticated()
}
