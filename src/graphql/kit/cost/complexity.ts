import { ComplexityErrorKind, type FieldComplexityFunction } from '@pothos/plugin-complexity'
import { getNullableType, GraphQLError, isListType } from 'graphql'

import { mostNodes } from '../../../domain/nodes/many/targets.ts'
import { searchSizes } from '../../../domain/search/search.ts'
import type { Context } from '../context.ts'

/** How many rows a page of a connection has. */
export const pageSizes = { standard: 50, most: 500 }

/**
 * What one request may ask for. A value costs 1. A list costs what one element costs, times the most elements that it
 * may have: for a page that is `first` or `last`, given literally or in a variable. A page of 500 rows leaves room for
 * 200 values per row.
 */
export const queryLimits = { complexity: 100_000, depth: 12, breadth: 500 }

/** The limits for a request; empty if the request is known to keep them. */
export const limitsFor = ({ isMeasured }: Context) => (isMeasured ? {} : queryLimits)

/** The assumed length of a list that is not a page, such as states of a cluster, routes or issues. */
const usualListLength = 10

/** The cost of a field without its elements, and how many elements it may have. */
export const fieldComplexity: FieldComplexityFunction<Context, Record<string, unknown>> = (args, _context, field) => {
  if (isExpensive(args, field.name)) return { field: expensive, multiplier: 1 }
  if (field.name === 'reachability') return { field: archiveRead, multiplier: 1 }
  // As many as the nodes that one call may change.
  if (field.name === 'results' || field.name === 'tokens') return { field: 1, multiplier: mostNodes }
  if (field.name === 'search') return { field: searched, multiplier: 1 }
  if (field.name === 'matches') return { field: 1, multiplier: searchSizes.most }
  if (field.args.some(({ name }) => name === 'first')) {
    return { field: 1 + perCondition * conditionsOf(args['filter']), multiplier: pageSize(args) }
  }
  if (!isListType(getNullableType(field.type))) return 1
  // The rows of a page were counted with the page.
  const isPage = field.name === 'nodes' || field.name === 'edges'
  return { field: 1, multiplier: isPage ? 1 : usualListLength }
}

/** The cost of reading and comparing a whole cluster, relative to reading rows: few of them fit into one request. */
const expensive = 15_000

/** The cost of a value in a filter: rows outside the list have to be read for it. */
const perCondition = 20

/** The values in a filter and in the filters within it. */
const conditionsOf = (filter: unknown): number =>
  typeof filter === 'object' && filter !== null && !(filter instanceof Date)
    ? Object.values(filter).reduce((sum: number, value) => sum + conditionsOf(value), 0)
    : Number(filter !== undefined && filter !== null)

/** The cost of reading all names: some dozens of them fit into one request. */
const searched = 2_500

/** The cost of reading one archive, of which two nodes’ files are used. */
const archiveRead = 2_500

/** Dry runs, uploads and diffs of archives; each alias counts. */
function isExpensive({ input, against }: Record<string, unknown>, name: string): boolean {
  const isDryRun = typeof input === 'object' && input !== null && 'dryRun' in input && input.dryRun === true
  return isDryRun || name === 'createConfigBundle' || against !== undefined
}

/** A page that is too large is not refused here but where it is read (connection.ts), with a message of its own. */
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
