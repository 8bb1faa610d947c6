import type { ClusterFilter as Filter } from '../../domain/clusters/clusters.ts'
import { filterLimits } from '../../domain/shared/pages.ts'
import { builder } from '../kit/builder.ts'
import { OrderDirection } from '../kit/order.ts'

export const ClusterFilter = builder.inputRef<Filter>('ClusterFilter')
ClusterFilter.implement({
  description: `Which clusters to list: those that meet every field. An omitted field does not narrow the list. At most ${filterLimits.conditions} values in all, and ${filterLimits.depth} filters within each other.`,
  fields: (t) => ({
    and: t.field({ type: [ClusterFilter], description: 'Only clusters that meet all of these filters.' }),
    or: t.field({ type: [ClusterFilter], description: 'Only clusters that meet at least one of these filters.' }),
    not: t.field({ type: ClusterFilter, description: 'Only clusters that do not meet this filter.' }),
    name: t.string({ description: 'Part of the name; case does not matter.' }),
    text: t.string({ description: 'Part of the name, the description or the overlay network; case does not matter.' }),
    ids: t.field({ type: ['UUID'], description: 'Only the clusters with these ids.' }),
    tenantId: t.field({ type: 'UUID', description: 'Only clusters of this tenant.' }),
  }),
})

const ClusterOrderField = builder.enumType('ClusterOrderField', {
  description: 'What clusters are ordered by. Clusters that are equal in it follow each other in a fixed order.',
  values: {
    NAME: { value: 'name', description: 'The name.' },
    CREATED: { value: 'createdAt', description: 'When the cluster was created.' },
    VERSION: { value: 'configVersion', description: 'The version that its nodes are to run.' },
  } as const,
})

export const ClusterOrder = builder.inputType('ClusterOrder', {
  description: 'In which order to list clusters.',
  fields: (t) => ({
    field: t.field({ type: ClusterOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'Which way.' }),
  }),
})
