import { ComplexityErrorKind, type FieldComplexityFunction } from '@pothos/plugin-complexity'
import { getNullableType, GraphQLError, isListType } from 'graphql'

import type { Context } from './context.ts'

/** How many rows a page of a connection has. */
export const pageSizes = { standard: 50, most: 500 }

/**
 * What one request may ask for. A value costs one, a list whatever its elements cost, for as many of them as it may
 * have: a page `first` or `last`, be it written out or in a variable. Together with every page of 500 that leaves room
 * for 200 values a row.
 */
export const queryLimits = { complexity: 100_000, depth: 12, breadth: 500 }

/** The limits for a request; none where it is known to keep them. */
export const limitsFor = ({ isMeasured }: Context) => (isMeasured ? {} : queryLimits)

/** How many elements lists have that are not pages: states of a cluster, routes, issues. */
const usualListLength = 10

/** The cost of a field beside that of its elements, and how many of these there may be. */
export const fieldComplexity: FieldComplexityFunction<Context, Record<string, unknown>> = (args, _context, field) => {
  if (isExpensive(args, field.name)) return { field: expensive, multiplier: 1 }
  if (field.args.some(({ name }) => name === 'first')) return { field: 1, multiplier: pageSize(args) }
  if (!isListType(getNullableType(field.type))) return 1
  // The rows of a page were counted with the page.
  const isPage = field.name === 'nodes' || field.name === 'edges'
  return { field: 1, multiplier: isPage ? 1 : usualListLength }
}

/** What reading and comparing a whole cluster costs beside reading rows: few of them fit into one request. */
const expensive = 15_000

/** Changes that are only looked at, uploads, and differences between archives; each alias counts. */
function isExpensive({ input, against }: Record<string, unknown>, name: string): boolean {
  const isDryRun = typeof input === 'object' && input !== null && 'dryRun' in input && input.dryRun === true
  return isDryRun || name === 'createConfigBundle' || against !== undefined
}

/** Too large a page is refused where pages are read, with a message about it. */
function pageSize({ first, last }: Record<string, unknown>): number {
  const asked = first ?? last ?? pageSizes.standard
  return typeof asked === 'number' ? Math.min(asked, pageSizes.most) : pageSizes.standard
}

export const complexityError = (kind: ComplexityErrorKind): GraphQLError =>
  new GraphQLError(
    kind === ComplexityErrorKind.Complexity
      ? 'The query asks for too much at once: ask for smaller pages (`first`) or fewer nested lists.'
      : `The query is too ${kind === ComplexityErrorKind.Depth ? 'deep' : 'broad'}.`,
    { extensions: { code: 'QUERY_TOO_COMPLEX' } },
  )
