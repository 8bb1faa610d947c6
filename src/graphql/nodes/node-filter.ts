import type { NodeFilter as Filter } from '../../domain/nodes/nodes.ts'
import { filterLimits } from '../../domain/shared/pages.ts'
import { builder } from '../kit/builder.ts'
import { OrderDirection } from '../kit/order.ts'
import { NodeStatus } from './node-status.ts'

const NodeGroupsFilter = builder.inputType('NodeGroupsFilter', {
  description: 'Which groups a node must have in its certificate; an omitted field does not narrow the list.',
  fields: (t) => ({
    anyOf: t.stringList({ description: 'At least one of these groups.' }),
    allOf: t.stringList({ description: 'All of these groups.' }),
  }),
})

const LabelFilter = builder.inputType('LabelFilter', {
  description: 'A label that a node must have.',
  fields: (t) => ({
    key: t.string({ required: true, description: 'The label’s key.' }),
    value: t.string({ required: true, description: 'The label’s whole value; case matters.' }),
  }),
})

export const NodeFilter = builder.inputRef<Filter>('NodeFilter')
NodeFilter.implement({
  description: `Which nodes to list: those that meet every field. An omitted field does not narrow the list. At most ${filterLimits.conditions} values in all, and ${filterLimits.depth} filters within each other.`,
  fields: (t) => ({
    and: t.field({ type: [NodeFilter], description: 'Only nodes that meet all of these filters.' }),
    or: t.field({ type: [NodeFilter], description: 'Only nodes that meet at least one of these filters.' }),
    not: t.field({ type: NodeFilter, description: 'Only nodes that do not meet this filter.' }),
    name: t.string({ description: 'Part of the name; case does not matter.' }),
    text: t.string({
      description: 'Part of the name, the description or the overlay address; case does not matter.',
    }),
    groups: t.field({ type: NodeGroupsFilter, description: 'The groups in the certificate.' }),
    labels: t.field({ type: [LabelFilter], description: 'Labels that the node has, all of them.' }),
    isLighthouse: t.boolean({ description: 'True for lighthouses only, false for the other nodes only.' }),
    isRelay: t.boolean({ description: 'True for relays only, false for the other nodes only.' }),
    isAdmin: t.boolean({ description: 'True for admin nodes only, false for the other nodes only.' }),
    hasRoutes: t.boolean({ description: 'True for nodes with routes only, false for nodes without routes only.' }),
    status: t.field({ type: [NodeStatus], description: 'Only nodes with one of these statuses.' }),
    unseenSince: t.field({
      type: 'DateTimeISO',
      description: 'Only nodes that were not seen since then, or never.',
    }),
    certificateExpiresBefore: t.field({
      type: 'DateTimeISO',
      description: 'Only nodes with a certificate that ends before then, or has ended.',
    }),
    nebulaVersion: t.string({
      description: 'Only nodes that reported exactly this version of Nebula, such as `1.10.0`.',
    }),
    outdated: t.boolean({
      description:
        'True for only those nodes that run no version, or an older one than the newest published; false for the other nodes only.',
    }),
    failing: t.boolean({
      description:
        'True for only those nodes that `Cluster.convergence` counts as failed by their own certificate or report, also when they are offline; false for the other nodes only.',
    }),
  }),
})

const NodeOrderField = builder.enumType('NodeOrderField', {
  description: 'What nodes are ordered by. Nodes that are equal in it follow each other in a fixed order.',
  values: {
    NAME: { value: 'name', description: 'The name.' },
    CREATED: { value: 'createdAt', description: 'When the node was created.' },
    LAST_SEEN: { value: 'lastSeenAt', description: 'When its agent was last seen; never is before all times.' },
    ADDRESS: { value: 'overlayIp', description: 'The overlay address as a number: 10.0.0.9 is before 10.0.0.10.' },
    VERSION: { value: 'runningConfigVersion', description: 'The version that it runs; none is before all versions.' },
    CERTIFICATE_EXPIRES: {
      value: 'certificateExpiresAt',
      description: 'When its certificate ends; no certificate is before all times.',
    },
  } as const,
})

export const NodeOrder = builder.inputType('NodeOrder', {
  description: 'In which order to list nodes.',
  fields: (t) => ({
    field: t.field({ type: NodeOrderField, required: true, description: 'What to order by.' }),
    direction: t.field({ type: OrderDirection, required: true, defaultValue: 'asc', description: 'Which way.' }),
  }),
})
