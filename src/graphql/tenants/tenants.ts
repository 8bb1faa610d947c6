import type { GraphQLResolveInfo } from 'graphql'

import { NotFoundError, ConflictError, ValidationError } from '../../base/errors.ts'
import { madeAndGone } from '../../domain/audit/repeats.ts'
import type { Tenant as TenantRow } from '../../db/generated/sqlite/client.ts'
import {
  createTenant,
  deleteTenant,
  findTenant,
  getTenant,
  listTenants,
  renameTenant,
  updateTenantNotes,
} from '../../domain/tenants/tenants.ts'
import { mutation, type InputFields, type PayloadFields } from '../changes/mutation.ts'
import { descriptionField, forPeople, notesInput } from '../changes/notes.ts'
import { operatorOf, scopeOf } from '../kit/access.ts'
import { TenantFilter, TenantOrder } from './tenant-filter.ts'
import { builder } from '../kit/builder.ts'
import { resolveConnection } from '../kit/connection.ts'
import type { Context } from '../kit/context.ts'

export const Tenant = builder.prismaObject('Tenant', {
  description: 'An organisation. Its members see its clusters, and nothing of any other tenant.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', {
      type: 'UUID',
      description: 'The tenant’s id, assigned when it is created.',
    }),
    name: t.exposeString('name', {
      description: 'Unique on this control plane.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTimeISO',
      description: 'When the tenant was created.',
    }),
    description: t.exposeString('description', {
      nullable: true,
      description: `What operators noted about it; null when there is none. ${forPeople}`,
    }),
  }),
})

/** The tenant of a row; the tenants of all rows of a list are read in one statement. */
export const loadTenant = (id: string, context: Context, info: GraphQLResolveInfo): Promise<TenantRow> =>
  context.loaders.row<TenantRow>(id, info, tenantColumns, (one, columns) => findTenant(scopeOf(context), one, columns))

const tenantColumns = { type: 'Tenant' }

const TenantConnection = builder.connectionObject(
  {
    type: Tenant,
    name: 'TenantConnection',
    description: 'A page of tenants, ordered by name unless another order is asked for.',
  },
  { name: 'TenantEdge', description: 'A tenant and its cursor.' },
)

builder.queryFields((t) => ({
  tenant: t.prismaField({
    type: Tenant,
    nullable: true,
    description: 'One tenant; null when it does not exist or is not yours. For everybody but enrolling machines.',
    authScopes: { clusterReader: true },
    args: {
      id: t.arg({
        type: 'UUID',
        required: true,
        description: 'The tenant’s id.',
      }),
    },
    resolve: (query, _root, { id }, context) => getTenant(scopeOf(context), id, query),
  }),
  tenants: t.connection(
    {
      type: Tenant,
      description:
        'The tenants that you can see, in the order of their names unless another is asked for: all tenants for operators, your own for every other caller.',
      authScopes: { clusterReader: true },
      args: {
        filter: t.arg({
          type: TenantFilter,
          description: 'Which tenants to list; all when null.',
        }),
        orderBy: t.arg({ type: TenantOrder, description: 'In which order; by name when null.' }),
      },
      resolve: (_root, { filter, orderBy, ...args }, context, info) =>
        resolveConnection<typeof Tenant.$inferType>(listTenants(filter ?? {}, orderBy ?? undefined), {
          args,
          context,
          info,
        }),
    },
    TenantConnection,
  ),
}))

/** The notes of a tenant in the input of a mutation. */
const tenantNotesFields = (t: InputFields) => ({ description: descriptionField(t) })

const tenantField = (t: PayloadFields<TenantRow>, description: string) =>
  t.field({ type: Tenant, description, resolve: (tenant) => tenant })

mutation('createTenant', {
  description: 'Creates a tenant.',
  callers: 'operator',
  input: 'A new tenant.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Unique on this control plane; 1 to 255 characters.' }),
    ...tenantNotesFields(t),
  }),
  errors: [ValidationError, ConflictError],
  resolve: (input, context) => createTenant(operatorOf(context), input),
  repeats: {
    type: 'Tenant',
    again: async (context, { id }) => {
      const tenant = await getTenant(operatorOf(context), id)
      if (tenant === null) throw madeAndGone('Tenant')
      return tenant
    },
  },
  done: 'The tenant was created.',
  payload: (t) => ({ tenant: tenantField(t, 'The new tenant.') }),
})

mutation('updateTenant', {
  description: 'Changes the notes about a tenant.',
  callers: 'operator',
  input: notesInput,
  fields: (t) => ({
    tenantId: t.field({ type: 'UUID', required: true, description: 'The tenant’s id.' }),
    ...tenantNotesFields(t),
  }),
  errors: [ValidationError, NotFoundError],
  resolve: (_input, context, { tenantId, ...notes }) => updateTenantNotes(operatorOf(context), tenantId, notes),
  done: 'The notes were changed.',
  payload: (t) => ({ tenant: tenantField(t, 'The tenant as it is now.') }),
})

mutation('renameTenant', {
  description: 'Gives a tenant another name.',
  callers: 'operator',
  input: 'The tenant’s new name.',
  fields: (t) => ({
    tenantId: t.field({ type: 'UUID', required: true, description: 'The tenant’s id.' }),
    name: t.string({ required: true, description: 'Unique on this control plane; 1 to 255 characters.' }),
  }),
  errors: [ValidationError, NotFoundError, ConflictError],
  resolve: ({ tenantId, name }, context) => renameTenant(operatorOf(context), tenantId, { name }),
  done: 'The tenant was renamed.',
  payload: (t) => ({ tenant: tenantField(t, 'The tenant as it is now.') }),
})

mutation('deleteTenant', {
  description: 'Deletes a tenant with its clusters, nodes and bundles. This cannot be undone.',
  callers: 'operator',
  input: 'The tenant to delete.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'The tenant’s id.' }) }),
  errors: [NotFoundError],
  resolve: ({ id }, context) => deleteTenant(operatorOf(context), id),
  done: 'The tenant was deleted.',
  payload: (t) => ({ tenant: tenantField(t, 'The tenant as it was.') }),
})
