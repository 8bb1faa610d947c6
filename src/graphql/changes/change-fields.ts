import { ChangePlan } from './change-plan.ts'
import { ChangeWarning, warningsDescription } from './change-warnings.ts'
import type { Changed, Warned } from './change.ts'
import type { InputFields, PayloadFields } from './mutation.ts'

/** The input field for the cluster that a mutation is about. */
export const clusterIdField = (t: InputFields) =>
  t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' })

/** The input field for how long the token that is replaced goes on working. */
export const graceField = (t: InputFields) =>
  t.int({
    description:
      'For how many seconds the old token works as well, 0 to 604800 (7 days): time to bring the new one to where it is used. `formerToken` shows when the old one ends and when it was last used. A token before the old one ends at once. 0 when null.',
  })

/** The input field for the node that a mutation is about. */
export const nodeIdField = (t: InputFields) => t.field({ type: 'UUID', required: true, description: 'The node’s id.' })

const dryRunDescription =
  'Whether to change nothing and show in `plan` what would change. Refused if the change itself would be refused. False when null.'

/** The input field for a dry run. */
export const dryRunField = (t: InputFields, note?: string) =>
  t.boolean({ description: note === undefined ? dryRunDescription : `${dryRunDescription} ${note}` })

/** The input field with which a caller changes only the state that it has seen. */
export const expectedVersionField = (t: InputFields) =>
  t.field({
    type: 'PositiveInt',
    description:
      'The cluster’s `configVersion` that you saw. If the present one differs, the change is refused, and the ConflictError has the present state. When null, the change is made at any version.',
  })

/** The payload's field for what a dry run found. */
export const planField = <Shape extends Changed<unknown>>(t: PayloadFields<Shape>) =>
  t.field({
    type: ChangePlan,
    nullable: true,
    description: 'What the change would do; null unless `dryRun` is true.',
    resolve: ({ plan }) => plan,
  })

/** The payload's field for the warnings about a change. */
export const warningsField = <Shape extends Warned>(t: PayloadFields<Shape>) =>
  t.field({
    type: [ChangeWarning],
    description: warningsDescription,
    resolve: async ({ warnings }) => [...(await warnings())],
  })

/** The payload's field for a new token. */
export const tokenField = <Shape>(t: PayloadFields<Shape>, what: string, tokenOf: (shape: Shape) => string) =>
  t.string({ description: `${what} It is shown here and never again.`, resolve: tokenOf })
