import type { InputFieldMap } from '@pothos/core'

import type { Scope } from '../../auth/scope.ts'
import type { ClusterFacts } from '../../domain/warnings/facts.ts'
import type { Context } from '../kit/context.ts'
import type { Warnings } from './change.ts'
import type { InputFields } from './mutation.ts'

/** A change that can be one of several: what a mutation of its own would do, without its terms. */
export interface OfferedStep {
  /** The mutation's name. */
  readonly name: string
  readonly description: string
  /** The description of its input. */
  readonly input: string
  readonly fields: (t: InputFields) => InputFieldMap
  readonly step: (scope: Scope, clusterId: string, input: Record<string, unknown>, context: Context) => Promise<unknown>
  readonly warn: (facts: ClusterFacts, value: unknown, input: Record<string, unknown>) => Promise<Warnings> | Warnings
}

const offered = new Map<string, OfferedStep>()

/** Offers a change to `changeCluster`. */
export const offerStep = (step: OfferedStep): void => void offered.set(step.name, step)

/** All of them, by name; complete when every mutation was added. */
export const offeredSteps = (): ReadonlyMap<string, OfferedStep> => offered
