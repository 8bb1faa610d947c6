import type { FieldMap, InputFieldMap } from '@pothos/core'

import type { Scope } from '../../auth/scope.ts'
import { CallerError, ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { NodesError, type NodesOutcome } from '../../domain/nodes/many/change-nodes.ts'
import { findTargets, mostClusters, mostNodes, type Targets } from '../../domain/nodes/many/targets.ts'
import type { ClusterFacts } from '../../domain/warnings/facts.ts'
import { Cluster } from '../clusters/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import type { Context } from '../kit/context.ts'
import { given } from '../kit/input.ts'
import { Node, NodeFilter } from '../nodes/nodes.ts'
import { dryRunField, expectedVersionField } from './change-fields.ts'
import { ChangePlan } from './change-plan.ts'
import { ChangeWarning, warningsDescription } from './change-warnings.ts'
import { changed, type Changed, type Warnings } from './change.ts'
import {
  mutation,
  type InputFields,
  type InputOf,
  type NoFields,
  type Particulars,
  type PayloadFields,
} from './mutation.ts'

/** How many clusters a dry run compares in one call: each is read and compared as a whole. */
const mostPlans = 5

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

const NodesInCluster = builder.objectRef<InCluster>('NodesInCluster').implement({
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

const NodeResult = builder.objectRef<Result>('NodeResult').implement({
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

function resultsOf({ missing, clusters }: Many<NodesOutcome>): Result[] {
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

/** What is particular to a change of many nodes. */
interface ManyNodes<T extends NodesOutcome, Fields extends InputFieldMap> extends Particulars<Fields> {
  /** Those who may change nodes by default. */
  readonly callers?: 'clusterWriter'
  readonly dryRun?: boolean
  /** Checks the input, and returns the change of the nodes of one cluster. */
  readonly change: (
    input: InputOf<Fields>,
    context: Context,
  ) => (scope: Scope, clusterId: string, ids: readonly string[]) => Promise<T>
  readonly warn?: (facts: ClusterFacts, value: T, input: InputOf<Fields>) => Promise<Warnings> | Warnings
  readonly payload?: (t: PayloadFields<Many<T>>) => FieldMap
}

const selectionFields = (t: InputFields) => ({
  ids: t.field({
    type: ['UUID'],
    description: `The nodes, by their ids: at most ${mostNodes}, of at most ${mostClusters} clusters. Null when \`clusterId\` and \`filter\` say which.`,
  }),
  clusterId: t.field({
    type: 'UUID',
    description: 'The cluster whose nodes `filter` finds; null when `ids` says which.',
  }),
  filter: t.field({
    type: NodeFilter,
    description: `Which nodes of the cluster, as in \`nodes\`: at most ${mostNodes}. An empty filter finds all of them. Null when \`ids\` says which.`,
  }),
  expectedVersion: expectedVersionField(t),
})

/**
 * Adds a mutation that changes many nodes: one version per cluster, and in each cluster all of its nodes or none.
 */
export function nodesMutation<T extends NodesOutcome, Fields extends InputFieldMap = NoFields>(
  name: string,
  options: ManyNodes<T, Fields>,
): void
// As in `mutation`, the types agree by the signature above.
export function nodesMutation(name: string, options: ManyNodes<NodesOutcome, InputFieldMap>): void {
  const { callers = 'nodeWriter', dryRun = true, fields, change, warn, payload } = options
  mutation<Many<NodesOutcome>, InputFieldMap>(name, {
    ...options,
    callers,
    bumps: true,
    errors: [ValidationError, NotFoundError, ConflictError, LimitError],
    fields: (t) => ({ ...fields?.(t), ...selectionFields(t), ...(dryRun && { dryRun: dryRunField(t) }) }),
    resolve: async (all, context) => {
      const { ids, clusterId, filter, expectedVersion, dryRun: isTrial, ...input } = all as Selected
      const work = change(input, context)
      const targets = await findTargets(scopeOf(context), { ids, clusterId, filter: filter && given(filter) })
      const terms = { dryRun: isTrial === true, expectedVersion: expectedVersion ?? null }
      assertFits(targets, terms)
      return changedIn(context, targets, terms, {
        change: work,
        warn: (facts, value) => warn?.(facts, value, input) ?? [],
      })
    },
    payload: (t) => ({
      clusters: t.field({
        type: [NodesInCluster],
        description: 'The outcome in each cluster of which nodes were given.',
        resolve: ({ clusters }) => [...clusters],
      }),
      results: t.field({
        type: [NodeResult],
        description: `What happened to each node, cluster by cluster; at the end, those that do not exist or are not yours. At most ${mostNodes}.`,
        resolve: resultsOf,
      }),
      ...payload?.(t),
    }),
  })
}

/** What every mutation of many nodes takes, without nulls. */
interface Selected extends Record<string, unknown> {
  readonly ids?: readonly string[]
  readonly clusterId?: string
  readonly filter?: Readonly<Record<string, string | boolean | null | undefined>>
  readonly expectedVersion?: number
  readonly dryRun?: boolean
}

interface Terms {
  readonly dryRun: boolean
  readonly expectedVersion: number | null
}

/** @throws ValidationError */
function assertFits({ clusters }: Targets, { dryRun, expectedVersion }: Terms): void {
  if (expectedVersion !== null && clusters.size > 1)
    throw ValidationError.at(
      ['input', 'expectedVersion'],
      'is the version of one cluster, and the nodes are of several',
    )
  if (dryRun && clusters.size > mostPlans)
    throw ValidationError.at(['input', 'dryRun'], `looks at nodes of at most ${mostPlans} clusters`)
}

interface Work<T extends NodesOutcome> {
  readonly change: (scope: Scope, clusterId: string, ids: readonly string[]) => Promise<T>
  readonly warn: (facts: ClusterFacts, value: T) => Promise<Warnings> | Warnings
}

/** One cluster after the other; the refusal in one does not keep the others from being changed. */
async function changedIn<T extends NodesOutcome>(
  context: Context,
  { clusters, missing }: Targets,
  terms: Terms,
  { change, warn }: Work<T>,
): Promise<Many<T>> {
  const outcomes: Many<T>['clusters'][number][] = []
  for (const [clusterId, ids] of clusters) {
    const made = changed<T>(context, { key: 'clusterId', id: clusterId }, terms, {
      change: (scope) => change(scope, clusterId, ids),
      clusterOf: () => clusterId,
      warn,
    })
    outcomes.push({ clusterId, ids, done: await made.catch((error: unknown) => refusalOf(error, clusters.size)) })
  }
  return { clusters: outcomes, missing }
}

/** If the nodes are of one cluster, a refusal that concerns the cluster is the mutation's result. */
function refusalOf(error: unknown, clusters: number): CallerError {
  if (!(error instanceof CallerError)) throw error
  if (clusters === 1 && !(error instanceof NodesError)) throw error
  return error
}
