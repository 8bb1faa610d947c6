import { complexityFromQuery } from '@pothos/plugin-complexity'
import { Kind, type DocumentNode, type GraphQLSchema } from 'graphql'

import { isSignedIn } from '../../../graphql/kit/access.ts'
import { queryLimits } from '../../../graphql/kit/cost/complexity.ts'
import type { Result, ServerContext } from '../graphql-plugin.ts'

/** The header with which a client asks for the cost of its operation; its value is `1`. */
const costHeader = 'x-orrery-cost'

/** Whether the caller wants to know what the operation costs. Strangers are not told. */
export const wantsCost = ({ call, session }: ServerContext): boolean =>
  call.header(costHeader) === '1' && isSignedIn(session)

interface Asked {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  readonly operationName: string | undefined
  readonly variables: Record<string, unknown> | undefined
}

/**
 * Adds to a result, also to a refusal, what its operation costs and may cost at most, as `extensions.cost`. The result
 * of an operation whose variables do not fit stays as it is: it has no cost.
 */
export function withCost(result: Result, asked: Asked): Result {
  const cost = costOf(asked)
  if (cost === null) return result
  const { complexity, depth, breadth } = queryLimits
  const limits = { cost: complexity, depth, breadth }
  // Without its `stringify`, which would not know of the cost.
  const { data, errors, extensions } = result
  return {
    ...(errors && { errors }),
    ...(data !== undefined && { data }),
    extensions: { ...extensions, cost: { ...cost, limits } },
  }
}

function costOf({ schema, document, operationName, variables = {} }: Asked) {
  // Of several operations in the document, only the one that is executed counts.
  const definitions = document.definitions.filter(
    (one) => one.kind !== Kind.OPERATION_DEFINITION || operationName === undefined || one.name?.value === operationName,
  )
  try {
    const { complexity, depth, breadth } = complexityFromQuery(
      { kind: Kind.DOCUMENT, definitions },
      { schema, variables },
    )
    return { cost: complexity, depth, breadth }
  } catch {
    // The result has the errors of the variables already.
    return null
  }
}
