import { GraphQLError } from 'graphql'

import type { Operator, Scope } from '../../auth/scope.ts'
import type { EnrollingMachineSession, NodeSession, OperatorSession, Session, SignedIn } from '../../auth/session.ts'
import type { Author } from '../../domain/bundles/config-uploads.ts'
import type { Context } from './context.ts'

/**
 * Who may call a root field. Each one declares one or several of these; a field that declares none is closed, since
 * the root types deny by default. Which rows a caller reaches is not decided here but by the session's scope.
 */
export type AccessScopes = {
  /** Anybody with a valid credential of any kind. */
  signedIn: boolean
  operator: boolean
  /** Operators, and a tenant's admins and viewers. */
  tenantReader: boolean
  /** Operators, and a tenant's admins. */
  tenantWriter: boolean
  /** Whoever reads a cluster: operators, tenant admins and viewers, nodes. */
  clusterReader: boolean
  /** Whoever manages a cluster: operators, tenant admins, and the cluster's own admin nodes. */
  clusterWriter: boolean
  /** A node of whatever cluster, for itself. */
  node: boolean
  /** A machine that holds a cluster's token. */
  enrollingMachine: boolean
  /** The node with this id. */
  nodeItself: string
}

/** Answers, for one request, which of the access scopes its caller has. */
export const accessOf = ({ session }: Pick<Context, 'session'>) => ({
  ...rightsOf(session),
  nodeItself: (id: string) => nodeIn(session)?.nodeId === id,
})

type Rights = Readonly<Record<Exclude<keyof AccessScopes, 'nodeItself'>, boolean>>

const none: Rights = {
  signedIn: false,
  operator: false,
  tenantReader: false,
  tenantWriter: false,
  clusterReader: false,
  clusterWriter: false,
  node: false,
  enrollingMachine: false,
}

const people: Rights = { ...none, signedIn: true, tenantReader: true, clusterReader: true }
const node: Rights = { ...none, signedIn: true, node: true, clusterReader: true }

/** Made once: every request asks several times. */
const rights = {
  operator: { ...people, operator: true, tenantWriter: true, clusterWriter: true },
  admin: { ...people, tenantWriter: true, clusterWriter: true },
  viewer: people,
  node,
  adminNode: { ...node, clusterWriter: true },
  enrollingMachine: { ...none, signedIn: true, enrollingMachine: true },
} satisfies Record<string, Rights>

/** Each kind of caller is named, so that a new one has no rights, and does not compile, until somebody has decided. */
function rightsOf(session: Session): Rights {
  switch (session.kind) {
    case 'operator':
      return rights.operator
    case 'tenantAdmin':
      return session.role === 'admin' ? rights.admin : rights.viewer
    case 'node':
      return session.isAdmin ? rights.adminNode : rights.node
    case 'enrollingMachine':
      return rights.enrollingMachine
    case 'anonymous':
      return none
  }
}

/** Whether it is anybody at all. */
export const isSignedIn = (session: Session): session is SignedIn => rightsOf(session).signedIn

/** The session where it is an operator's; null for everybody else's. */
export function operatorIn(session: Session): OperatorSession | null {
  switch (session.kind) {
    case 'operator':
      return session
    case 'tenantAdmin':
    case 'node':
    case 'enrollingMachine':
    case 'anonymous':
      return null
  }
}

/** The session where it is a node's; null for everybody else's. */
export function nodeIn(session: Session): NodeSession | null {
  switch (session.kind) {
    case 'node':
      return session
    case 'operator':
    case 'tenantAdmin':
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
    case 'anonymous':
      return null
  }
}

/** Whose files of a bundle a caller may read: all nodes', one node's beside the shared ones, or no archive at all. */
export type BundleReach = 'all' | { readonly nodeId: string } | 'none'

/** A plain node learns of its own files only, never of the others' certificates. */
export function bundleReachOf(session: Session): BundleReach {
  switch (session.kind) {
    case 'operator':
    case 'tenantAdmin':
      return 'all'
    case 'node':
      return session.isAdmin ? 'all' : { nodeId: session.nodeId }
    case 'enrollingMachine':
    case 'anonymous':
      return 'none'
  }
}

/** Who a published version is by, and whether its files may change what has a mutation of its own. */
export function authorOf(context: Context): Author {
  const { session } = context
  return {
    // A node is kept as the bundle's author; everybody is named in its message.
    nodeId: nodeIn(session)?.nodeId ?? null,
    // As updateClusterFirewall declares it.
    mayChangeFirewall: rightsOf(session).tenantWriter,
  }
}

/** The same answer whatever failed: no credential, an unknown one, an expired one, a rotated one. */
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

export const refusalFor = ({ session }: Pick<Context, 'session'>): GraphQLError =>
  isSignedIn(session) ? forbidden() : unauthenticated()

/** The signed-in caller of a field that was let through. */
export function callerOf({ session }: Pick<Context, 'session'>): SignedIn {
  if (!isSignedIn(session)) throw unauthenticated()
  return session
}

/** The rows that the caller reaches. */
export const scopeOf = (context: Context): Scope => callerOf(context).scope

/** The node that calls; refuses everybody else. */
export function nodeOf(context: Context): NodeSession {
  return nodeIn(callerOf(context)) ?? refuse()
}

/** The machine that enrols; refuses everybody else. */
export function enrollingMachineOf(context: Context): EnrollingMachineSession {
  return enrollingMachineIn(callerOf(context)) ?? refuse()
}

/** The operator's reach; refuses everybody else. */
export function operatorOf(context: Context): Operator {
  return operatorIn(callerOf(context))?.scope ?? refuse()
}

function refuse(): never {
  throw forbidden()
}
