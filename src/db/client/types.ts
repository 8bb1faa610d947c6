import type { PrismaClient } from '../generated/sqlite/client.ts'

export type {
  AuditEvent,
  Cluster,
  ClusterState,
  ConfigBundle,
  Credential,
  Node,
  Replica,
  Tenant,
} from '../generated/sqlite/client.ts'
export type { Prisma } from '../generated/sqlite/client.ts'

/** The supported database engines. */
export type Engine = 'sqlite' | 'postgresql'

type Models = 'tenant' | 'cluster' | 'clusterState' | 'replica' | 'node' | 'configBundle' | 'credential' | 'auditEvent'

/** The client for work inside a transaction: the tables, no raw SQL. */
export type Tx = Pick<PrismaClient, Models>

/** The tables as one caller may access them. */
export type Db = Pick<PrismaClient, Models | '$transaction'>

/** The owner of rows: a tenant, or one or some of its clusters. `null` means: all. */
export interface RowScope {
  readonly tenantId: string | null
  /** The cluster from which a machine works. */
  readonly clusterId: string | null
  /** The clusters that a person is limited to, also those that are deleted: a scope of none of them has no row. */
  readonly clusterIds: readonly string[] | null
}
