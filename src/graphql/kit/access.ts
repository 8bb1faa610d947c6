import { GraphQLError } from 'graphql'

import { includesScope, type ApiScope } from '../../auth/api-scopes.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type {
  EnrollingMachineSession,
  NodeSession,
  OperatorSession,
  Session,
  SignedIn,
  TenantRole,
} from '../../auth/session.ts'
import type { Author } from '../../domain/bundles/config-uploads.ts'
import type { Context } from './context.ts'

/**
 * Who may call a root field. Each field declares one or several of these. A field without a declaration is closed,
 * since the root types deny by default. Which rows a caller reaches is decided by the session's scope, not here.
 */
export type AccessScopes = {
  /** Callers with a valid credential of any kind. */
  signedIn: boolean
  operator: boolean
  /** Operators, and everybody with a role in a tenant. */
  tenantReader: boolean
  /** Operators, and a tenant's admins. */
  tenantWriter: boolean
  /** Callers that may make what belongs to no cluster: operators, and a tenant's admins without a limit of clusters. */
  wholeTenantWriter: boolean
  /** Callers that may read a cluster: operators, everybody with a role in its tenant, nodes. */
  clusterReader: boolean
  /** Callers that may manage a cluster: operators, tenant admins, and the cluster's own admin nodes. */
  clusterWriter: boolean
  /** Callers that may change nodes and publish: those that may manage the cluster, and a tenant's editors. */
  nodeWriter: boolean
  /** Callers that may read the audit trail: operators, and a tenant's admins and auditors. */
  auditReader: boolean
  /** Callers that may give machines the rights of an admin node: those that may manage the cluster, and its tokens. */
  adminNodeWriter: boolean
  /** A node of any cluster, for itself. */
  node: boolean
  /** A machine that holds a cluster's token. */
  enrollingMachine: boolean
  /** The node with this id. */
  nodeItself: string
}

/** The access scopes that the caller of one request has. */
export const accessOf = ({ session }: Pick<Context, 'session'>) => ({
  ...rightsOf(session),
  adminNodeWriter: rightsOf(session).adminNodeWriter && includesScope(limitOf(session), 'credentials:write'),
  nodeItself: (id: string) => nodeIn(session)?.nodeId === id,
})

type Rights = Readonly<Record<Exclude<keyof AccessScopes, 'nodeItself'>, boolean>>

const none: Rights = {
  signedIn: false,
  operator: false,
  tenantReader: false,
  tenantWriter: false,
  wholeTenantWriter: false,
  clusterReader: false,
  clusterWriter: false,
  nodeWriter: false,
  auditReader: false,
  adminNodeWriter: false,
  node: false,
  enrollingMachine: false,
}

const people: Rights = { ...none, signedIn: true, tenantReader: true, clusterReader: true }
const admin: Rights = {
  ...people,
  tenantWriter: true,
  wholeTenantWriter: true,
  clusterWriter: true,
  nodeWriter: true,
  auditReader: true,
  adminNodeWriter: true,
}
const node: Rights = { ...none, signedIn: true, node: true, clusterReader: true }

/** Created once, because every request reads them several times. */
const rights = {
  operator: { ...admin, operator: true },
  admin,
  editor: { ...people, nodeWriter: true },
  viewer: people,
  auditor: { ...people, auditReader: true },
  node,
  adminNode: { ...node, clusterWriter: true, nodeWriter: true, adminNodeWriter: true },
  /** It is told that it is blocked, and nothing else. */
  blockedNode: { ...none, signedIn: true },
  enrollingMachine: { ...none, signedIn: true, enrollingMachine: true },
} satisfies Readonly<Record<TenantRole, Rights>> & Readonly<Record<string, Rights>>

/** Of people who are limited to clusters, by a token or a group; which rows these are, the scope decides. */
const limitedRights: Readonly<Record<TenantRole, Rights>> = {
  admin: { ...rights.admin, wholeTenantWriter: false },
  editor: rights.editor,
  viewer: rights.viewer,
  auditor: rights.auditor,
}

/** Names each kind of caller: a new kind does not compile until its rights have been decided here. */
function rightsOf(session: Session): Rights {
  switch (session.kind) {
    case 'operator':
      return rights.operator
    case 'tenantAdmin':
      return session.scope.clusterIds === null ? rights[session.role] : limitedRights[session.role]
    case 'node':
      return session.isAdmin ? rights.adminNode : rights.node
    case 'blockedNode':
      return rights.blockedNode
    case 'enrollingMachine':
      return rights.enrollingMachine
    case 'anonymous':
      return none
  }
}

/** Whether the caller sees which credentials a cluster's machines may use: people, and whoever may make them. */
export function seesCredentials({ session }: Pick<Context, 'session'>): boolean {
  const { tenantReader, clusterWriter } = rightsOf(session)
  return tenantReader || clusterWriter
}

/** The scopes that the caller's token is limited to; null without a limit. Machines' tokens have none. */
export function limitOf(session: Session): readonly ApiScope[] | null {
  switch (session.kind) {
    case 'operator':
    case 'tenantAdmin':
      return session.scopes
    case 'node':
    case 'blockedNode':
    case 'enrollingMachine':
    case 'anonymous':
      return null
  }
}

/** Whether the caller has a valid credential. */
export const isSignedIn = (session: Session): session is SignedIn => rightsOf(session).signedIn

/** The session if it is an operator's, otherwise null. */
export function operatorIn(session: Session): OperatorSession | null {
  switch (session.kind) {
    case 'operator':
      return session
    case 'tenantAdmin':
    case 'node':
    case 'blockedNode':
    case 'enrollingMachine':
    case 'anonymous':
      return null
  }
}

/** The session if it is a node's, otherwise null. */
export function nodeIn(session: Session): NodeSession | null {
  switch (session.kind) {
    case 'node':
      return session
    case 'operator':
    case 'tenantAdmin':
    case 'blockedNode':
    case 'enrollingMachine':
    case 'anonymous':
      return null
  }
}

function enrollingMachineIn(session: Session): EnrollingMachineSession | null {
  switch (session.kind) {
    case 'enrollingMachine':
      return session
    case 'operator':
    case 'tenantAdmin':
    case 'node':
    case 'blockedNode':
    case 'anonymous':
      return null
  }
}

/** Which files of a bundle a caller may read: those of all nodes, the shared ones and one node's, or no files. */
export type BundleReach = 'all' | { readonly nodeId: string } | 'none'

/** A plain node reads only the shared files and its own, never the certificates of other nodes. */
export function bundleReachOf(session: Session): BundleReach {
  switch (session.kind) {
    case 'operator':
    case 'tenantAdmin':
      return includesScope(session.scopes, 'bundles:read') ? 'all' : 'none'
    case 'node':
      return session.isAdmin ? 'all' : { nodeId: session.nodeId }
    case 'blockedNode':
    case 'enrollingMachine':
    case 'anonymous':
      return 'none'
  }
}

/** The author of a published version, and whether its files may change settings that have a mutation of their own. */
export function authorOf(context: Context): Author {
  const { session } = context
  return {
    // Only a node is stored as the bundle's author; the message names every kind of author.
    nodeId: nodeIn(session)?.nodeId ?? null,
    // The same right that updateClusterFirewall demands.
    mayChangeFirewall: rightsOf(session).tenantWriter && includesScope(limitOf(session), 'clusters:write'),
  }
}

/** The same answer for a missing, an unknown, an expired and a rotated credential. */
export const unauthenticated = (): GraphQLError =>
  new GraphQLError('Sign in first: a valid credential belongs in the Authorization header.', {
    extensions: {
      code: 'UNAUTHENTICATED',
      http: { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } },
    },
  })

/** The caller is known and may not do this. */
export const forbidden = (): GraphQLError =>
  new GraphQLError('You may not do this.', {
    extensions: { code: 'FORBIDDEN' },
  })

/** The caller is a node that an admin has blocked. */
export const blocked = (): GraphQLError =>
  new GraphQLError(blockedNodeWords, {
    extensions: { code: 'FORBIDDEN' },
  })

/** What a blocked node is told, by every route. */
export const blockedNodeWords =
  'This node is blocked: no other node talks to it, and its token does nothing until an admin of the cluster unblocks it.'

export function refusalFor({ session }: Pick<Context, 'session'>): GraphQLError {
  if (!isSignedIn(session)) return unauthenticated()
  return session.kind === 'blockedNode' ? blocked() : forbidden()
}

/** The signed-in caller of a field that was let through. */
export function callerOf({ session }: Pick<Context, 'session'>): SignedIn {
  if (!isSignedIn(session)) throw unauthenticated()
  return session
}

/** The rows that the caller reaches. */
export const scopeOf = (context: Context): Scope => callerOf(context).scope

/** The node that calls; refuses all other callers. */
export function nodeOf(context: Context): NodeSession {
  return nodeIn(callerOf(context)) ?? refuse()
}

/** The machine that enrolls; refuses all other callers. */
export function enrollingMachineOf(context: Context): EnrollingMachineSession {
  return enrollingMachineIn(callerOf(context)) ?? refuse()
}

/** The credential that can be revoked, by which a person is signed in; null for a JWT and for machines. */
export function credentialIdIn(session: SignedIn): string | null {
  switch (session.kind) {
    case 'operator':
    case 'tenantAdmin':
      return session.credentialId
    case 'node':
    case 'blockedNode':
    case 'enrollingMachine':
      return null
  }
}

/** The same of a context. */
export const credentialIdOf = (context: Context): string | null => credentialIdIn(callerOf(context))

/** The operator's scope; refuses all other callers. */
export function operatorOf(context: Context): Operator {
  return operatorIn(callerOf(context))?.scope ?? refuse()
}

function refuse(): never {
  throw forbidden()
}
