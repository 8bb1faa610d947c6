import type { TenantRole } from '../auth/session.ts'

/** What people may be in a tenant, as the command line names it. */
export const tenantRoles: readonly TenantRole[] = ['admin', 'viewer']

/** What credentials may be made for. */
export const personRoles: readonly ('operator' | TenantRole)[] = ['operator', ...tenantRoles]
