import { GraphQLError } from 'graphql'

import type { Operator, Scope } from '../auth/scope.ts'
import type { EnrollingMachineSession, NodeSession, Session, SignedIn } from '../auth/session.ts'
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
export function accessOf({ session }: Pick<Context, 'session'>) {
  const operator = session.kind === 'operator'
  const tenantReader = operator || session.kind === 'tenantAdmin'
  const tenantWriter = operator || (session.kind === 'tenantAdmin' && session.role === 'admin')
  const node = session.kind === 'node'
  return {
    signedIn: session.kind !== 'anonymous',
    operator,
    tenantReader,
    tenantWriter,
    clusterReader: tenantReader || node,
    clusterWriter: tenantWriter || (node && session.isAdmin),
    node,
    enrollingMachine: session.kind === 'enrollingMachine',
    nodeItself: (id: string) => node && session.nodeId === id,
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
const forbidden = (): GraphQLError =>
  new GraphQLError('You may not do this.', {
    extensions: { code: 'FORBIDDEN' },
  })

export const refusalFor = ({ session }: Pick<Context, 'session'>): GraphQLError =>
  session.kind === 'anonymous' ? unauthenticated() : forbidden()

/** The signed-in caller of a field that was let through. */
export function callerOf({ session }: Context): SignedIn {
  if (session.kind === 'anonymous') throw unauthenticated()
  return session
}

/** The rows that the caller reaches. */
export const scopeOf = (context: Context): Scope => callerOf(context).scope

/** The node that calls; refuses everybody else. */
export function nodeOf(context: Context): NodeSession {
  const session = callerOf(context)
  if (session.kind !== 'node') throw forbidden()
  return session
}

/** The machine that enrols; refuses everybody else. */
export function enrollingMachineOf(context: Context): EnrollingMachineSession {
  const session = callerOf(context)
  if (session.kind !== 'enrollingMachine') throw forbidden()
  return session
}

/** The operator's reach; refuses everybody else. */
export function operatorOf(context: Context): Operator {
  const session: Session = callerOf(context)
  if (session.kind !== 'operator') throw forbidden()
  return session.scope
}
