import type { PrismaClient } from '../generated/sqlite/client.ts'

export type { Cluster, ClusterState, ConfigBundle, Node, Replica, Tenant } from '../generated/sqlite/client.ts'
export type { Prisma } from '../generated/sqlite/client.ts'

/** The two engines a database can be. */
export type Engine = 'sqlite' | 'postgresql'

type Models = 'tenant' | 'cluster' | 'clusterState' | 'replica' | 'node' | 'configBundle' | 'credential'

/** What a piece of work inside a transaction may use: the tables, no raw SQL. */
export type Tx = Pick<PrismaClient, Models>

/** The tables as one caller may reach them. */
export type Db = Pick<PrismaClient, Models | '$transaction'>

/** Whose rows: a tenant's, or those of one cluster of it. `null` means: all. */
export interface RowScope {
  readonly tenantId: string | null
  readonly clusterId: string | null
}
