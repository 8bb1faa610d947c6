import type { CertificateStore } from '../db/writes/certificates.ts'
import type { CredentialUseStore } from '../db/writes/credential-uses.ts'
import type { NodeRowStore } from '../db/writes/node-rows.ts'
import type { Recording } from '../db/audit/recording.ts'
import type { ChangeFeed } from '../db/notify/changes.ts'
import type { ReplicaLease } from '../db/writes/lease.ts'
import type { Reads } from '../db/reads/reads.ts'
import type { PresenceStore } from '../db/writes/presence.ts'
import type { Db } from '../db/client/types.ts'

declare const made: unique symbol

/** Tells whether the server's secrets open what was sealed for a cluster; the domain's vault is one. */
export interface Opener {
  opens(sealed: string, clusterId: string): boolean
}

/**
 * The rows of one tenant, or of one or some clusters of it, as the authentication layer recognised them: `db` and `read` reach
 * no other rows. Only auth/make-scope.ts makes one, so a function that takes a `Tenant` cannot be called with an id
 * that was only claimed.
 */
export interface Tenant {
  readonly [made]: 'tenant'
  readonly tenantId: string
  /** The only cluster in reach, for nodes and enrolling machines; null for the whole tenant. */
  readonly clusterId: string | null
  /** The clusters that a person is limited to; null for machines, and for the whole tenant. */
  readonly clusterIds: readonly string[] | null
  /** Who works in it, as stored messages name them. */
  readonly actor: string
  readonly db: Db
  readonly read: Reads
  /** Writes many nodes of a cluster at once, in a transaction of `db`. */
  readonly nodeRows: NodeRowStore
  readonly changes: ChangeFeed
  /**
   * The cluster's `configVersion` that the caller saw: at another version, changes are refused. Null when it gave none.
   */
  readonly expectedVersion: number | null
  /** The cluster whose version the transaction around all of this has raised (domain/clusters/together.ts); or null. */
  readonly raised: string | null
  /** Changes of a cluster whose keys it does not open are refused. Null without a secret. */
  readonly opener: Opener | null
  /** The change that is being recorded, in whose transactions its event is written; null outside of changes. */
  readonly recording: Recording | null
}

/** The rows of all tenants: an operator's scope, or the server's own. */
export interface Operator {
  readonly [made]: 'operator'
  readonly tenantId: null
  readonly clusterId: null
  readonly clusterIds: null
  readonly actor: string
  readonly db: Db
  readonly read: Reads
  /** Writes many nodes of a cluster at once, in a transaction of `db`. */
  readonly nodeRows: NodeRowStore
  readonly changes: ChangeFeed
  /** As in a tenant's scope. */
  readonly expectedVersion: number | null
  readonly raised: string | null
  readonly opener: Opener | null
  /** As in a tenant's scope. */
  readonly recording: Recording | null
  /** The instances of the control plane belong to no tenant. */
  readonly lease: ReplicaLease
  /** Written for the nodes of all tenants at once. */
  readonly presence: PresenceStore
  /** As presence. */
  readonly credentialUses: CredentialUseStore
  /** Written by the server itself, for a whole cluster at once. */
  readonly certificates: CertificateStore
}

/** The scopes that domain functions work in. */
export type Scope = Tenant | Operator
