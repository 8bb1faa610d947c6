import * as z from 'zod'

import type { ApiScope } from './api-scopes.ts'
import type { Operator, Tenant } from './scope.ts'

/** How messages name what the server does by itself; for people and machines, they name the kind of caller. */
export const systemActor = 'Orrery'

/** Signed in as an operator of this control plane. */
export interface OperatorSession {
  readonly kind: 'operator'
  readonly scope: Operator
  /** The JWT's `sub`, or the name that a session was made for: names the operator in the audit trail. */
  readonly subject: string
  /** The JWT's `exp`, or the session's end. */
  readonly expiresAt: Date
  /** The row of `credentials`, which can be revoked; null for a JWT, which is valid until it expires. */
  readonly credentialId: string | null
  /** What an access token is limited to; null for everything that the role may. */
  readonly scopes: readonly ApiScope[] | null
}

/** What a person may be in a tenant; src/graphql/kit/access.ts decides what each of them may do. */
export const tenantRoles = ['admin', 'editor', 'viewer', 'auditor'] as const
export type TenantRole = (typeof tenantRoles)[number]

/** What a person may: everything, or what a role may in a tenant. `clusterIds` limits it to some clusters; null to none. */
export type PersonRights =
  | { readonly role: 'operator' }
  | { readonly role: TenantRole; readonly tenantId: string; readonly clusterIds: readonly string[] | null }

/** Clusters that a person may be limited to, at most; every statement for that person names them. */
export const mostClusters = 50

/** The clusters that a person is limited to: at least one. */
export const clusterIdsRule = z
  .array(z.uuid().toLowerCase())
  .min(1)
  .max(mostClusters)
  .transform((ids) => [...new Set(ids)])

/** Signed in for one tenant, with a role in it. */
export interface TenantAdminSession {
  readonly kind: 'tenantAdmin'
  readonly role: TenantRole
  readonly scope: Tenant
  readonly subject: string
  /** The JWT's `exp`, or the credential's end. */
  readonly expiresAt: Date
  /** As an operator's. */
  readonly credentialId: string | null
  /** What an access token is limited to; null for everything that the role may. */
  readonly scopes: readonly ApiScope[] | null
}

/** The version that a cluster is to run, and the newest that has a bundle; null when there is none. */
interface ClusterVersions {
  readonly configVersion: number
  readonly latestBundleVersion: number | null
}

/** A machine of a cluster, by its node token. */
export interface NodeSession {
  readonly kind: 'node'
  readonly nodeId: string
  readonly clusterId: string
  readonly name: string
  readonly isAdmin: boolean
  /** Its cluster's versions at the time it was recognised: agents ask for them again and again. */
  readonly versions: ClusterVersions
  /** When a former token ends, by which it signed in; null for its present token. */
  readonly expiresAt: Date | null
  readonly scope: Tenant
}

/** A machine whose node an admin has blocked: its token is known, and good for nothing. */
export interface BlockedNodeSession {
  readonly kind: 'blockedNode'
  readonly nodeId: string
  readonly scope: Tenant
}

/** A machine that holds a cluster token or an enrollment key, and is not a node yet. */
export interface EnrollingMachineSession {
  readonly kind: 'enrollingMachine'
  readonly clusterId: string
  /** The enrollment key that it holds; null for the cluster token. */
  readonly keyId: string | null
  readonly scope: Tenant
}

/** No credential, or one that is not (or no longer) valid; the caller does not learn which. */
export interface AnonymousSession {
  readonly kind: 'anonymous'
}

/** Who makes a request: one object, made once, before the request is processed. */
export type Session =
  OperatorSession | TenantAdminSession | NodeSession | BlockedNodeSession | EnrollingMachineSession | AnonymousSession
export type SignedIn = Exclude<Session, AnonymousSession>

export const anonymous: AnonymousSession = { kind: 'anonymous' }

/** Whose share of a budget a caller uses: its tenant's, or that of all operators together. */
export const budgetOf = ({ scope }: SignedIn): string => scope.tenantId ?? 'operators'
