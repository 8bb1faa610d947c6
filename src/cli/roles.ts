import { tenantRoles, type TenantRole } from '../auth/session.ts'

/** What credentials may be made for, as the command line names it. */
export const personRoles: readonly ('operator' | TenantRole)[] = ['operator', ...tenantRoles]
