import * as z from 'zod'

import type { Node } from '../../db/client/types.ts'
import { addProblem } from '../shared/issues.ts'
import { shortLineRule } from '../shared/rules.ts'

/** A key and a value by which people and their tools find nodes. Firewall rules refer to groups, never to labels. */
export interface Label {
  readonly key: string
  readonly value: string
}

const keyRule = z
  .string()
  .max(63, 'must have at most 63 characters')
  .regex(
    /^[a-z0-9](?:[a-z0-9._/-]*[a-z0-9])?$/,
    'must be small letters, digits, and between them also dots, underscores, slashes and hyphens',
  )

const labelRule = z.object({ key: keyRule, value: shortLineRule(128) })

/** How many labels a node can have. */
export const mostLabels = 32

/** A node's labels, each key once, as the column holds them: value by key, in the order of the keys. Null: no labels. */
export const labelsRule = z
  .array(z.object({ key: z.string(), value: z.string() }))
  .max(mostLabels, `must have at most ${mostLabels} labels`)
  .pipe(z.array(labelRule).superRefine(noKeyTwice))
  .transform((labels) => Object.fromEntries(sorted(labels).map(({ key, value }) => [key, value])))
  .nullable()
  .transform((labels) => labels ?? {})

function noKeyTwice(labels: readonly Label[], context: z.RefinementCtx): void {
  const seen = new Set<string>()
  labels.forEach(({ key }, index) => {
    if (seen.has(key)) addProblem(context, { code: 'DUPLICATE', message: `is there twice: ${key}` }, [index, 'key'])
    seen.add(key)
  })
}

/** The labels of a node's row, by key. Only labelsRule makes the column; PostgreSQL keeps no order of its own. */
export const labelsOf = ({ labels }: Pick<Node, 'labels'>): Label[] =>
  sorted(Object.entries(labels as Record<string, string>).map(([key, value]) => ({ key, value })))

/** By code units, so that the order is the same for every reader. */
const sorted = (labels: readonly Label[]): Label[] => labels.toSorted((one, other) => (one.key < other.key ? -1 : 1))
