import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster as ClusterRow, Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { changeTogether, StepError } from '../../domain/clusters/together.ts'
import { mostNodes } from '../../domain/nodes/many/targets.ts'
import type { ClusterFacts } from '../../domain/warnings/facts.ts'
import { mostWarnings, type ChangeWarning } from '../../domain/warnings/warning.ts'
import { clusterMutation } from '../changes/change-mutations.ts'
import { offeredSteps, type OfferedStep } from '../changes/steps.ts'
import { builder } from '../kit/builder.ts'
import type { Context } from '../kit/context.ts'
import { given } from '../kit/input.ts'
import { Node } from '../nodes/nodes.ts'

const mostChanges = 100

type ChangeInput = Readonly<Record<string, Record<string, unknown> | null | undefined>>

// The fields follow the mutations that offer themselves, so that a change is described in one place.
const ClusterChangeInput = builder.inputType('ClusterChangeInput', {
  isOneOf: true,
  description: 'One change of a cluster or of one of its nodes: exactly one of the fields.',
  fields: (t) =>
    Object.fromEntries(
      [...offeredSteps().values()].map((step) => [
        step.name,
        t.field({ type: inputOf(step), description: `${step.description} As the mutation \`${step.name}\`.` }),
      ]),
    ),
})

function inputOf({ name, input, fields }: OfferedStep) {
  const title = name.charAt(0).toUpperCase() + name.slice(1)
  return builder.inputType(`${title}Change`, { description: input, fields })
}

interface Created {
  readonly index: number
  readonly node: NodeRow
  readonly token: string
}

const CreatedNode = builder.objectRef<Created & { readonly isTrial: boolean }>('CreatedNode').implement({
  description: 'A node that one of several changes created.',
  fields: (t) => ({
    index: t.expose('index', { type: 'NonNegativeInt', description: 'The place of the change in `changes`.' }),
    node: t.field({ type: Node, description: 'The new node.', resolve: ({ node }) => node }),
    token: t.string({
      nullable: true,
      description: 'The node token, `orn_…`. It is shown here and never again; null with `dryRun`.',
      resolve: ({ token, isTrial }) => (isTrial ? null : token),
    }),
  }),
})

/** A change with its name, its input without nulls, and its place. */
interface Chosen {
  readonly step: OfferedStep
  readonly input: Record<string, unknown>
  readonly path: readonly string[]
}

clusterMutation('changeCluster', {
  description: `Makes several changes of one cluster and its nodes at once, in the given order: all of them or none, with one version. At most ${mostChanges}.`,
  input: 'The changes.',
  fields: (t) => ({
    changes: t.field({ type: [ClusterChangeInput], required: true, description: 'The changes, in order.' }),
  }),
  errors: [ValidationError, NotFoundError, ConflictError, LimitError],
  change: (scope, id, { changes }, context) => changed(scope, id, changes as readonly ChangeInput[], context),
  warn: (facts, { made }) => warningsOf(facts, made),
  done: 'All changes were made.',
  payload: (t) => ({
    createdNodes: t.field({
      type: [CreatedNode],
      description: 'The nodes that the changes created, in the order of the changes.',
      resolve: ({ value: { created }, plan }) => created.map((one) => ({ ...one, isTrial: plan !== null })),
    }),
  }),
})

interface Made {
  readonly cluster: ClusterRow
  readonly made: readonly (Chosen & { readonly value: unknown })[]
  readonly created: readonly Created[]
}

async function changed(scope: Scope, id: string, changes: readonly ChangeInput[], context: Context): Promise<Made> {
  if (changes.length === 0 || changes.length > mostChanges)
    throw ValidationError.at(['input', 'changes'], 'TOO_MANY', `must have 1 to ${mostChanges} changes`)
  const chosen = changes.map(chosenIn)
  assertFewNodes(chosen)
  const steps = chosen.map(
    ({ step, input }) =>
      (inside: Scope) =>
        step.step(inside, id, input, context),
  )
  try {
    const { cluster, values } = await changeTogether(scope, id, steps)
    const made = chosen.map((one, index) => ({ ...one, value: values[index] }))
    return { cluster, made, created: values.flatMap(createdBy) }
  } catch (error) {
    throw error instanceof StepError ? placed(error, chosen[error.index]?.path ?? []) : error
  }
}

function chosenIn(change: ChangeInput, index: number): Chosen {
  const [entry, ...others] = Object.entries(given(change))
  const step = entry && offeredSteps().get(entry[0])
  // GraphQL checks `@oneOf` itself; this is for literals with nulls.
  if (!entry?.[1] || !step || others.length > 0)
    throw ValidationError.at(['input', 'changes', String(index)], 'EXCLUSIVE', 'must have exactly one change')
  return { step, input: given(entry[1]), path: ['input', 'changes', String(index), step.name] }
}

/** Certificates may be signed for each of the nodes while the cluster is locked. @throws ValidationError */
function assertFewNodes(chosen: readonly Chosen[]): void {
  let count = 0
  for (const { input, path } of chosen) {
    const { ids } = input
    count += Array.isArray(ids) ? ids.length : 0
    if (count > mostNodes)
      throw ValidationError.at([...path, 'ids'], 'TOO_MANY', `the changes together name more than ${mostNodes} nodes`)
  }
}

/** Only createNode returns a token. */
const createdBy = (value: unknown, index: number): Created[] =>
  typeof value === 'object' && value !== null && 'token' in value && 'node' in value
    ? [{ ...(value as Omit<Created, 'index'>), index }]
    : []

/** The refusal of a change, with the path to it. */
function placed({ cause }: StepError, path: readonly string[]): Error {
  if (cause instanceof ValidationError) {
    const [first, ...rest] = cause.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path.slice(1)] }))
    return first ? new ValidationError([first, ...rest]) : cause
  }
  cause.path = [...path, ...cause.path]
  return cause
}

async function warningsOf(facts: ClusterFacts, made: Made['made']): Promise<ChangeWarning[]> {
  const warnings: ChangeWarning[] = []
  for (const { step, input, path, value } of made) {
    if (warnings.length >= mostWarnings) break
    const some = await step.warn(facts, value, input)
    warnings.push(...some.map((one) => ({ ...one, path: [...path, ...one.path.slice(1)] })))
  }
  return warnings.slice(0, mostWarnings)
}
