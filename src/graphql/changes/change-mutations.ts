import type { FieldMap, InputFieldMap } from '@pothos/core'

import type { Scope } from '../../auth/scope.ts'
import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { madeAndGone, type MadeType } from '../../domain/audit/repeats.ts'
import { storedFacts, type ClusterFacts } from '../../domain/warnings/facts.ts'
import { scopeOf } from '../kit/access.ts'
import { Cluster } from '../clusters/clusters.ts'
import type { Context } from '../kit/context.ts'
import type { ErrorClass } from '../kit/errors.ts'
import { Node } from '../nodes/nodes.ts'
import {
  clusterIdField,
  dryRunField,
  expectedVersionField,
  nodeIdField,
  planField,
  warningsField,
} from './change-fields.ts'
import {
  changed,
  changedCluster,
  changedNode,
  warned,
  type Changed,
  type Key,
  type OfCluster,
  type OfNode,
  type Warnings,
} from './change.ts'
import { offerStep } from './steps.ts'
import {
  mutation,
  type Callers,
  type InputOf,
  type NoFields,
  type Particulars,
  type PayloadFields,
} from './mutation.ts'

/**
 * What is particular to a change of a cluster or of a node. The rest is the same for all, or has a default. Write the
 * functions after `fields`: TypeScript infers their input from it.
 */
interface Change<T, Fields extends InputFieldMap> extends Particulars<Fields> {
  readonly callers?: Callers<[id: string, input: InputOf<Fields>]>
  /** Whether it bumps `configVersion`, which the description then says; true by default. */
  readonly bumps?: boolean
  /** By default all that a change can return: ValidationError if it has fields, LimitError if it has a dry run. */
  readonly errors?: readonly ErrorClass[]
  /** Whether callers may say which version they saw; true by default. */
  readonly expectedVersion?: boolean
  /** Whether `changeCluster` can make it as one of several changes. */
  readonly together?: boolean
  /** A further sentence for the description of the input `dryRun`. */
  readonly dryRunNote?: string
  /** The one call of the domain. */
  readonly change: (scope: Scope, id: string, input: InputOf<Fields>, context: Context) => Promise<T>
  /** The description of the cluster or node in the payload. */
  readonly shows?: string
  /** For what creates the object, or shows a secret once: reads again what it made, by id; null when that is gone. */
  readonly again?: (scope: Scope, id: string, secret: string) => Promise<T | null>
  /** Further fields of the payload. */
  readonly payload?: (t: PayloadFields<Changed<T>>) => FieldMap
}

type Warn<T, Fields extends InputFieldMap> = (
  facts: ClusterFacts,
  value: T,
  input: InputOf<Fields>,
) => Promise<Warnings> | Warnings

/** Whether a change has a dry run, as most do. If it has, it says what to warn of. */
type Trial<T, Fields extends InputFieldMap> =
  | { readonly dryRun?: true; readonly warn: Warn<T, Fields> }
  | { readonly dryRun: false; readonly warn?: Warn<T, Fields> }

/** Adds a mutation that changes one cluster; for operators and tenant admins by default. */
export function clusterMutation<T extends OfCluster, Fields extends InputFieldMap = NoFields>(
  name: string,
  options: Change<T, Fields> & Trial<T, Fields>,
): void
// As in `mutation`, the types agree by the signature above.
export function clusterMutation(name: string, options: Erased<OfCluster>): void {
  const { callers = 'tenantWriter', shows = 'The cluster as it is now.' } = options
  changeMutation(name, options, {
    key: 'clusterId',
    callers,
    type: 'Cluster',
    clusterOf: (value) => changedCluster(value).id,
    object: (t) => ({
      cluster: t.field({
        type: Cluster,
        description: shows,
        resolve: ({ value, plan }) => plan?.cluster ?? changedCluster(value),
      }),
    }),
  })
}

/**
 * Adds a mutation that changes one node; for those who may change nodes by default. `of` is the input
 * that says where: the node, or the cluster that the node is to belong to.
 */
export function nodeMutation<T extends OfNode, Fields extends InputFieldMap = NoFields>(
  name: string,
  options: Change<T, Fields> & Trial<T, Fields> & { readonly of?: Key },
): void
export function nodeMutation(name: string, options: Erased<OfNode> & { readonly of?: Key }): void {
  const { of: key = 'nodeId', callers = 'nodeWriter', shows = 'The node as it is now.' } = options
  changeMutation(name, options, {
    key,
    callers,
    type: 'Node',
    clusterOf: (value) => changedNode(value).clusterId,
    object: (t) => ({ node: t.field({ type: Node, description: shows, resolve: ({ value }) => changedNode(value) }) }),
  })
}

/** Any change, for the implementations: the types of its input fields are of no concern to them. */
type Erased<T> = Change<T, InputFieldMap> & Trial<T, InputFieldMap>

/** What the mutations of clusters and those of nodes do differently. */
interface Kind<T> {
  readonly key: Key
  readonly type: MadeType
  readonly callers: NonNullable<Erased<T>['callers']>
  readonly clusterOf: (value: T) => string
  readonly object: (t: PayloadFields<Changed<T>>) => FieldMap
}

function changeMutation<T>(name: string, options: Erased<T>, { key, type, callers, clusterOf, object }: Kind<T>): void {
  const { bumps = true, fields, expectedVersion = true, dryRun = true, change, warn, again, payload } = options
  const {
    dryRunNote,
    errors = [
      ...(fields || again ? [ValidationError] : []),
      NotFoundError,
      ConflictError,
      ...(dryRun ? [LimitError] : []),
    ],
  } = options
  if (options.together)
    offerStep({
      name,
      description: options.description,
      input: options.input,
      fields: (t) => ({ ...fields?.(t), ...(key === 'nodeId' && { nodeId: nodeIdField(t) }) }),
      step: (scope, clusterId, { nodeId, ...input }, context) =>
        change(scope, key === 'nodeId' ? String(nodeId) : clusterId, input, context),
      warn: (facts, value, input) => warn?.(facts, value as T, input) ?? [],
    })
  mutation<Changed<T>, InputFieldMap>(name, {
    ...options,
    callers:
      typeof callers === 'string'
        ? callers
        : { ...callers, scopes: (input) => callers.scopes(String(input[key]), input) },
    bumps,
    errors,
    fields: (t) => ({
      ...fields?.(t),
      [key]: idFields[key](t),
      ...(expectedVersion && { expectedVersion: expectedVersionField(t) }),
      ...(dryRun && { dryRun: dryRunField(t, dryRunNote) }),
    }),
    resolve: (all, context) => {
      const { [key]: given, expectedVersion: version, dryRun: isTrial, ...input } = all
      // A UUID is a string already.
      const id = String(given)
      const terms = { dryRun: isTrial === true, expectedVersion: typeof version === 'number' ? version : null }
      return changed(context, { key, id }, terms, {
        change: (scope) => change(scope, id, input, context),
        clusterOf,
        warn: (facts, value) => warn?.(facts, value, input) ?? [],
      })
    },
    ...(again && {
      repeats: {
        type,
        again: async (context, { id, secret }) => {
          const value = await again(scopeOf(context), id, secret ?? '')
          if (value === null) throw madeAndGone(type)
          // As the state is now. No mutation with `again` has warnings that depend on its input.
          return {
            value,
            plan: null,
            ...warned(() => warn?.(storedFacts(scopeOf(context), clusterOf(value)), value, {}) ?? []),
          }
        },
      },
    }),
    payload: (t) => ({
      ...object(t),
      ...payload?.(t),
      ...(dryRun && { plan: planField(t) }),
      ...(warn && { warnings: warningsField(t) }),
    }),
  })
}

const idFields = { clusterId: clusterIdField, nodeId: nodeIdField }
