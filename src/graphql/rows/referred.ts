import { OperationTypeNode, type GraphQLResolveInfo } from 'graphql'

import type { Context } from '../kit/context.ts'
import { requestedColumns, type ColumnsRequest } from './requested-columns.ts'

interface Reference<Columns> {
  /** The kind of row that is referred to, as messages name it. */
  readonly what: string
  readonly columns: ColumnsRequest
  /** Looks up the columns that a query asks for. */
  readonly find: (context: Context, id: string, columns: readonly (keyof Columns)[]) => Promise<object | null>
}

/**
 * Makes a loader for rows that other rows refer to, with the columns that the query asks for. The rows of one list are
 * loaded together, and each row once, however many rows refer to it.
 * @typeParam Row has all columns; the Prisma plugin reads a field whose column was not looked up
 */
export const referredTo =
  <Row extends object, Columns extends object = Row>({ what, columns: request, find }: Reference<Columns>) =>
  (id: string, context: Context, info: GraphQLResolveInfo): Promise<Row> => {
    const columns = requestedColumns(info, request)
    const load = async () => {
      const row = await find(context, id, columns as readonly (keyof Columns)[])
      if (!row) throw new Error(`a row refers to a ${what} that is not there`)
      return row as Row
    }
    // A mutation must show its changes, even if the row was loaded before.
    const isQuery = info.operation.operation === OperationTypeNode.QUERY
    return isQuery ? context.loaders.once(columns, id, load) : load()
  }
