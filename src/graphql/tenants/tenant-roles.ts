import type { TenantRole } from '../../auth/session.ts'

/** The roles in a tenant, for enums. docs/security.md says in a table what each may do. */
export const tenantRoleValues = {
  ADMIN: { value: 'admin', description: 'Everything in the tenant.' },
  EDITOR: {
    value: 'editor',
    description:
      'Read everything; change nodes and routes, and publish. No credentials or tokens of others, no CA, no firewall, no settings of clusters.',
  },
  VIEWER: { value: 'viewer', description: 'Read everything, change nothing.' },
  AUDITOR: { value: 'auditor', description: 'As a viewer, and read the audit trail.' },
} as const satisfies Values

type Values = {
  readonly [Role in TenantRole as Uppercase<Role>]: { readonly value: Role; readonly description: string }
}
