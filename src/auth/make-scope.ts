import { certificateStore } from '../db/writes/certificates.ts'
import { credentialUseStore } from '../db/writes/credential-uses.ts'
import type { ChangeFeed } from '../db/notify/changes.ts'
import type { Database } from '../db/client/client.ts'
import { nodeRowStore, type NodeRowStore } from '../db/writes/node-rows.ts'
import { replicaLease } from '../db/writes/lease.ts'
import { Reads } from '../db/reads/reads.ts'
import { presenceStore } from '../db/writes/presence.ts'
import { scopedClient } from '../db/client/scoped.ts'
import type { Db } from '../db/client/types.ts'
import type { Opener, Operator, Tenant } from './scope.ts'

/**
 * What a tenant's scope is narrowed to: one cluster, and the node of that cluster that works in it; or the clusters that
 * a person is limited to.
 */
type Within = { readonly clusterId: string; readonly nodeId?: string } | { readonly clusterIds: readonly string[] }

/** Whose scope it is, and how messages name them (auth/session.ts says how). */
interface Whose {
  readonly tenantId: string
  readonly actor: string
  readonly opener?: Opener
}

/** The scope of a tenant, or of one or some clusters of it. Only the authentication layer calls it. */
export const tenantScope = (database: Database, whose: Whose, within: Within | null = null): Tenant =>
  // The brand exists for the compiler only.
  new TenantScope(database, whose, within) as unknown as Tenant

/** Makes its client and its reads on first use: a client costs as much as ten look-ups, and a poll needs none. */
class TenantScope implements Omit<Tenant, symbol> {
  readonly tenantId: string
  readonly clusterId: string | null
  readonly clusterIds: readonly string[] | null
  readonly actor: string
  readonly changes: ChangeFeed
  readonly expectedVersion = null
  readonly raised = null
  readonly recording = null
  readonly opener: Opener | null
  readonly #database: Database
  readonly #nodeId: string | null
  #db: Db | null = null
  #read: Reads | null = null

  constructor(database: Database, { tenantId, actor, opener }: Whose, within: Within | null) {
    this.tenantId = tenantId
    const inside = within !== null && 'clusterId' in within ? within : null
    this.clusterId = inside?.clusterId ?? null
    this.clusterIds = within !== null && 'clusterIds' in within ? within.clusterIds : null
    this.actor = actor
    this.opener = opener ?? null
    this.changes = database.changes
    this.#database = database
    this.#nodeId = inside?.nodeId ?? null
  }

  get db(): Db {
    const { tenantId, clusterId, clusterIds } = this
    return (this.#db ??= scopedClient(this.#database, { tenantId, clusterId, clusterIds, nodeId: this.#nodeId }))
  }

  get nodeRows(): NodeRowStore {
    return nodeRowStore(this.#database)
  }

  get read(): Reads {
    return (this.#read ??= new Reads(this.#database, this))
  }
}

/** The scope without a boundary. Only the authentication layer calls it. */
export function operatorScope(database: Database, actor: string, opener: Opener | null = null): Operator {
  const rows = { tenantId: null, clusterId: null, clusterIds: null }
  return {
    ...rows,
    actor,
    changes: database.changes,
    expectedVersion: null,
    raised: null,
    recording: null,
    opener,
    db: database.client,
    read: new Reads(database, rows),
    nodeRows: nodeRowStore(database),
    lease: replicaLease(database),
    presence: presenceStore(database),
    credentialUses: credentialUseStore(database),
    certificates: certificateStore(database),
  } as unknown as Operator
}
