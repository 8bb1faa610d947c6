import type { FieldMap, InputFieldMap } from '@pothos/core'

import type { Scope } from '../../auth/scope.ts'
import { CallerError, ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { NodesError, type NodesOutcome } from '../../domain/nodes/many/change-nodes.ts'
import { distinct, findTargets, mostClusters, mostNodes, type Targets } from '../../domain/nodes/many/targets.ts'
import type { ClusterFacts } from '../../domain/warnings/facts.ts'
import { scopeOf } from '../kit/access.ts'
import type { Context } from '../kit/context.ts'
import type { NodeFilter as Filter } from '../../domain/nodes/nodes.ts'
import { NodeFilter } from '../nodes/node-filter.ts'
import { dryRunField, expectedVersionField } from './change-fields.ts'
import { changed, type Warnings } from './change.ts'
import {
  mutation,
  type InputFields,
  type InputOf,
  type NoFields,
  type Particulars,
  type PayloadFields,
} from './mutation.ts'
import { NodeResult, NodesInCluster, resultsOf, type Many } from './nodes-results.ts'
import { offerStep } from './steps.ts'

/** How many clusters a dry run compares in one call: each is read and compared as a whole. */
const mostPlans = 5

/** What is particular to a change of many nodes. */
interface ManyNodes<T extends NodesOutcome, Fields extends InputFieldMap> extends Particulars<Fields> {
  /** Those who may change nodes by default. */
  readonly callers?: 'clusterWriter'
  readonly dryRun?: boolean
  /** Whether `changeCluster` can make it as one of several changes. */
  readonly together?: boolean
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
  if (options.together) offerNodesStep(name, options)
  mutation<Many<NodesOutcome>, InputFieldMap>(name, {
    ...options,
    callers,
    bumps: true,
    errors: [ValidationError, NotFoundError, ConflictError, LimitError],
    fields: (t) => ({ ...fields?.(t), ...selectionFields(t), ...(dryRun && { dryRun: dryRunField(t) }) }),
    resolve: async (all, context) => {
      const { ids, clusterId, filter, expectedVersion, dryRun: isTrial, ...input } = all as Selected
      const work = change(input, context)
      const targets = await findTargets(scopeOf(context), { ids, clusterId, filter })
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

/** As one of several changes of a cluster, it is about nodes of that cluster, and one refusal is that of all. */
function offerNodesStep(name: string, options: ManyNodes<NodesOutcome, InputFieldMap>): void {
  const { description, input: about, fields, change, warn } = options
  offerStep({
    name,
    description,
    input: about,
    fields: (t) => ({
      ...fields?.(t),
      ids: t.field({
        type: ['UUID'],
        required: true,
        description: `The nodes, by their ids. All changes of many nodes together name at most ${mostNodes}.`,
      }),
    }),
    step: async (scope, clusterId, all, context) => {
      const { ids: given = [], ...input } = all as Selected
      const work = change(input, context)
      const ids = distinct(given)
      try {
        return await work(scope, clusterId, ids)
      } catch (error) {
        throw error instanceof NodesError ? refusalOfOne(error, given) : error
      }
    },
    warn: (facts, value, input) => warn?.(facts, value as NodesOutcome, input) ?? [],
  })
}

/** The first node's refusal, with the path to its id. */
function refusalOfOne(error: NodesError, given: readonly string[]): CallerError {
  const [first] = error.refusals
  if (first === undefined) return error
  const [id, refusal] = first
  if (!(refusal instanceof ValidationError)) refusal.path = ['ids', String(given.indexOf(id))]
  return refusal
}

/** What every mutation of many nodes takes, without nulls. */
interface Selected extends Record<string, unknown> {
  readonly ids?: readonly string[]
  readonly clusterId?: string
  readonly filter?: Filter
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
      'EXCLUSIVE',
      'is the version of one cluster, and the nodes are of several',
    )
  if (dryRun && clusters.size > mostPlans)
    throw ValidationError.at(['input', 'dryRun'], 'TOO_MANY', `looks at nodes of at most ${mostPlans} clusters`)
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
