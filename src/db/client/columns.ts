import { columns as all } from '../generated/columns.ts'
import type { Prisma } from './types.ts'

/** The columns of the tables that are listed in pages, by field, without the data of bundles. */
export const columns = {
  tenants: all.tenants,
  clusters: all.clusters,
  nodes: all.nodes,
  config_bundles: all.config_bundles,
} as const satisfies {
  tenants: Record<Prisma.TenantScalarFieldEnum, string>
  clusters: Record<Prisma.ClusterScalarFieldEnum, string>
  nodes: Record<Prisma.NodeScalarFieldEnum, string>
  config_bundles: Record<Exclude<Prisma.ConfigBundleScalarFieldEnum, 'data'>, string>
}

export type Table = keyof typeof columns
