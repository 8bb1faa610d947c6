import { CallerError, ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { NodesError, type NodesOutcome } from '../../domain/nodes/many/change-nodes.ts'
import { Cluster } from '../clusters/clusters.ts'
import { builder } from '../kit/builder.ts'
import { Node } from '../nodes/nodes.ts'
import { ChangePlan } from './change-plan.ts'
import { ChangeWarning, warningsDescription } from './change-warnings.ts'
import type { Changed } from './change.ts'

const codes = {
  NOT_FOUND: 'The node does not exist or is not yours. The API does not tell the two apart.',
  CONFLICT: 'The change conflicts with the present state.',
  INVALID: 'The value breaks a rule for this node.',
  LIMIT_REACHED: 'A limit is reached.',
  TRY_AGAIN: 'Others change the same at this moment, or the database does not answer: the same may succeed later.',
} as const
type Code = keyof typeof codes

const NodesErrorCode = builder.enumType('NodesErrorCode', {
  description: 'Why a node, or a cluster with its nodes, was not changed.',
  values: Object.fromEntries(Object.entries(codes).map(([value, description]) => [value, { value, description }])),
})

/** Wrapped, since GraphQL takes an error that a resolver returns for one that it throws. */
interface Failure {
  readonly error: CallerError
}

const NodesFailure = builder.objectRef<Failure>('NodesFailure').implement({
  description: 'Why a node, or a cluster with its nodes, was not changed.',
  fields: (t) => ({
    code: t.field({
      type: NodesErrorCode,
      description: 'The kind, for programs.',
      resolve: ({ error }) => codeOf(error),
    }),
    message: t.string({ description: 'What is wrong, for people to read.', resolve: ({ error }) => error.message }),
  }),
})

function codeOf(error: CallerError): Code {
  if (error instanceof NotFoundError) return 'NOT_FOUND'
  if (error instanceof ValidationError) return 'INVALID'
  if (error instanceof LimitError) return 'LIMIT_REACHED'
  if (error instanceof NodesError) return codeOf([...error.refusals.values()][0] ?? new ConflictError(error.message))
  return error instanceof ConflictError ? 'CONFLICT' : 'TRY_AGAIN'
}

/** What happened in one cluster: the change, or why nothing was changed. */
interface InCluster {
  readonly clusterId: string
  readonly ids: readonly string[]
  readonly done: Changed<NodesOutcome> | CallerError
}

const doneIn = ({ done }: InCluster): Changed<NodesOutcome> | null => (done instanceof CallerError ? null : done)

/** The outcome in one cluster, in the payload. */
export const NodesInCluster = builder.objectRef<InCluster>('NodesInCluster').implement({
  description: 'The outcome in one cluster: all of its nodes were changed, or none.',
  fields: (t) => ({
    clusterId: t.field({ type: 'UUID', description: 'The cluster’s id.', resolve: ({ clusterId }) => clusterId }),
    cluster: t.field({
      type: Cluster,
      nullable: true,
      description: 'The cluster after the change; null when nothing was changed.',
      resolve: (one) => doneIn(one)?.plan?.cluster ?? doneIn(one)?.value.cluster ?? null,
    }),
    plan: t.field({
      type: ChangePlan,
      nullable: true,
      description: 'What the change would do; null unless `dryRun` is true, and when the change was refused.',
      resolve: (one) => doneIn(one)?.plan ?? null,
    }),
    warnings: t.field({
      type: [ChangeWarning],
      description: warningsDescription,
      resolve: async (one) => [...((await doneIn(one)?.warnings()) ?? [])],
    }),
    error: t.field({
      type: NodesFailure,
      nullable: true,
      description:
        'Why nothing was changed in this cluster; null when the change was made. If the nodes are of one cluster, an error that concerns the cluster is the result of the mutation instead.',
      resolve: ({ done }) => (done instanceof CallerError ? { error: done } : null),
    }),
  }),
})

/** What happened to one node. */
interface Result {
  readonly nodeId: string
  readonly node: NodeRow | null
  readonly changed: boolean
  readonly error: CallerError | null
}

/** The outcome of one node, in the payload. */
export const NodeResult = builder.objectRef<Result>('NodeResult').implement({
  description: 'What happened to one of the nodes.',
  fields: (t) => ({
    nodeId: t.field({ type: 'UUID', description: 'The node’s id.', resolve: ({ nodeId }) => nodeId }),
    node: t.field({
      type: Node,
      nullable: true,
      description: 'The node as it is now, or as it was when it was deleted; null when nothing was changed.',
      resolve: ({ node }) => node,
    }),
    changed: t.exposeBoolean('changed', {
      description: 'Whether the node is different now. With `dryRun`, whether it would be.',
    }),
    error: t.field({
      type: NodesFailure,
      nullable: true,
      description:
        'Why the node cannot be changed; null when it can be. Its cluster’s other nodes were not changed then, either.',
      resolve: ({ error }) => error && { error },
    }),
  }),
})

/** What a mutation of many nodes passes to its payload. */
export interface Many<T extends NodesOutcome> {
  readonly missing: readonly string[]
  readonly clusters: readonly (InCluster & { readonly done: Changed<T> | CallerError })[]
}

/** What happened to each node: cluster by cluster, and at the end those that were not found. */
export function resultsOf({ missing, clusters }: Many<NodesOutcome>): Result[] {
  const none = { node: null, changed: false }
  return [
    ...clusters.flatMap(({ ids, done }): Result[] => {
      if (!(done instanceof CallerError))
        return done.value.nodes.map((node) => ({
          nodeId: node.id,
          node,
          changed: done.value.changed.has(node.id),
          error: null,
        }))
      const refusals = done instanceof NodesError ? done.refusals : new Map<string, CallerError>()
      return ids.map((nodeId) => ({ nodeId, ...none, error: refusals.get(nodeId) ?? null }))
    }),
    ...missing.map((nodeId) => ({ nodeId, ...none, error: new NotFoundError('Node') })),
  ]
}
