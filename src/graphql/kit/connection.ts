import { resolveCursorConnection, type PageInfoShape } from '@pothos/plugin-relay'
import type { GraphQLResolveInfo } from 'graphql'
import * as z from 'zod'

import { jsonOf } from '../../base/json.ts'
import { textProblem } from '../../base/texts/text.ts'
import { keyValue, type KeyValue, type List, type Window } from '../../domain/shared/pages.ts'
import { scopeOf } from './access.ts'
import { pageSizes } from './builder.ts'
import type { Context } from './context.ts'
import { badUserInput } from './errors.ts'
import { requestedColumns, type ColumnsRequest } from '../rows/requested-columns.ts'

/** The arguments of every connection. */
interface PageArguments {
  readonly first?: number | null | undefined
  readonly last?: number | null | undefined
  readonly after?: string | null | undefined
  readonly before?: string | null | undefined
}

interface Connection<Row> {
  readonly edges: { readonly cursor: string; readonly node: Row }[]
  readonly pageInfo: PageInfoShape
  readonly count: () => Promise<number>
}

/**
 * Resolves a connection over a list of the domain. It reads only the fields that the query asks for, and counts only
 * when `totalCount` is selected. With a `parentId` the list is one of many at the same place in the query: all of them
 * are read in one statement.
 * @typeParam Row the rows' type; it has at least the fields that were asked for
 */
export async function resolveConnection<Row extends object>(
  list: List,
  {
    args,
    context,
    info,
    parentId,
  }: {
    args: PageArguments
    context: Context
    info: GraphQLResolveInfo
    parentId?: string
  },
): Promise<Connection<Row>> {
  assertPageSize(args)
  const { read } = scopeOf(context)
  const { order, mark } = list.listing
  const fields = requestedFields(list, info)
  const place = info.fieldNodes[0]
  const connection = await resolveCursorConnection(
    {
      args,
      defaultSize: pageSizes.standard,
      maxSize: pageSizes.most,
      // A row has the columns that it is ordered by: requestedFields adds them.
      toCursor: (row) =>
        encodeCursor(
          mark,
          order.map((field) => (row as Readonly<Record<string, unknown>>)[field]),
        ),
    },
    async ({ after, before, limit, inverted }) => {
      const window: Window = {
        after: decode(list, after),
        before: decode(list, before),
        limit,
        inverted,
      }
      const rows =
        parentId === undefined
          ? await read.page(list, { fields, window })
          : await context.loaders.load(
              { place, purpose: 'page' },
              parentId,
              (ids) => read.pages(list, ids, { fields, window }),
              () => [],
            )
      return rows
    },
  )
  return {
    // The rows have the columns that were asked for; the compiler cannot see which.
    ...(connection as Pick<Connection<Row>, 'edges' | 'pageInfo'>),
    count: () =>
      parentId === undefined
        ? read.count(list, context.left())
        : context.loaders.load(
            { place, purpose: 'count' },
            parentId,
            (ids) => read.counts(list, ids, context.left()),
            () => 0,
          ),
  }
}

function assertPageSize({ first, last }: PageArguments): void {
  for (const [name, size] of Object.entries({ first, last })) {
    if (size !== null && size !== undefined && (size < 0 || size > pageSizes.most)) {
      throw badUserInput(`${name}: must be 0 to ${pageSizes.most}`)
    }
  }
  if (typeof first === 'number' && typeof last === 'number') throw badUserInput('first and last exclude each other')
}

/** The columns to read: those of the fields in the query, the row's id, and those of the cursor. */
function requestedFields({ listing }: List, info: GraphQLResolveInfo): string[] {
  const asked = requestedColumns(info, columnsOf[listing.table])
  return [...new Set([...asked, ...listing.order])]
}

/** The GraphQL type of each table's rows. */
const ofRows = (type: string): ColumnsRequest => ({ type, paths: [['edges', 'node'], ['nodes']] })
const columnsOf = {
  tenants: ofRows('Tenant'),
  clusters: ofRows('Cluster'),
  nodes: ofRows('Node'),
  config_bundles: ofRows('ConfigBundle'),
  credentials: ofRows('Credential'),
  audit_events: ofRows('AuditEvent'),
} as const

/**
 * A cursor encodes the row's position in the order, so that it stays valid when the row is deleted; and which order that
 * is, unless it is the usual one of the list.
 */
const encodeCursor = (mark: string | undefined, key: readonly unknown[]): string =>
  Buffer.from(JSON.stringify(mark === undefined ? key : { order: mark, key })).toString('base64url')

/** Room for the longest key, a name of 255 characters, escaped and in base64. */
const longestCursor = 4096

const keyShape = z.array(z.union([z.string().refine((text) => textProblem(text) === null), z.int32(), z.null()]))
const cursorText = jsonOf(z.union([keyShape, z.strictObject({ order: z.string(), key: keyShape })]))

function decode({ listing }: List, cursor: string | null | undefined): KeyValue[] | null {
  if (cursor === null || cursor === undefined) return null
  const text = cursor.length <= longestCursor ? Buffer.from(cursor, 'base64url').toString('utf8') : ''
  const parsed = cursorText.safeParse(text)
  if (!parsed.success) throw foreignCursor()
  const { order, key } = Array.isArray(parsed.data) ? { order: undefined, key: parsed.data } : parsed.data
  // Encoding the key again must give the same text: base64 and JSON decoders ignore some input.
  if (encodeCursor(order, key) !== cursor) throw foreignCursor()
  if (order !== listing.mark) throw badUserInput('That cursor was made for another order of this list.')
  const values = listing.order.flatMap(
    (field, at) => keyValue(field, key[at] ?? null) ?? (key[at] === null ? [null] : []),
  )
  if (key.length !== listing.order.length || values.length !== key.length) throw foreignCursor()
  return values
}

const foreignCursor = () => badUserInput('That cursor is not one of this list.')
