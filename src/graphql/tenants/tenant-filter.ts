import { filterLimits } from '../../domain/shared/pages.ts'
import type { TenantFilter as Filter } from '../../domain/tenants/tenants.ts'
import { builder } from '../kit/builder.ts'
import { OrderDirection } from '../kit/order.ts'

export const TenantFilter = builder.inputRef<Filter>('TenantFilter')
TenantFilter.implement({
  description: `Which tenants to list: those that meet every field. An omitted field does not narrow the list. At most ${filterLimits.conditions} values in all, and ${filterLimits.depth} filters within each other.`,
  fields: (t) => ({
    and: t.field({ type: [TenantFilter], description: 'Only tenants that meet all of these filters.' }),
    or: t.field({ type: [TenantFilter], description: 'Only tenants that meet at least one of these filters.' }),
    not: t.field({ type: TenantFilter, description: 'Only tenants that do not meet this filter.' }),
    name: t.string({ description: 'Part of the name; case does not matter.' }),
    text: t.string({ description: 'Part of the name or the description; case does not matter.' }),
    ids: t.field({ type: ['UUID'], description: 'Only the tenants with these ids.' }),
  }),
})

const TenantOrderField = builder.enumType('TenantOrderField', {
  description: 'What tenants are ordered by.',
  values: {
    NAME: { value: 'name', description: 'The name.' },
    CREATED: { value: 'createdAt', description: 'When the tenant was created.' },
  } as const,
})

export const TenantOrder = builder.inputType('TenantOrder', {
  description: 'In which order to list tenants.',
  fields: (t) => ({
    field: t.field({ type: TenantOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'Which way.' }),
  }),
})
