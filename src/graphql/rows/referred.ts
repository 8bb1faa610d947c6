import { OperationTypeNode, type GraphQLResolveInfo } from 'graphql'

import type { Context } from '../kit/context.ts'
import { requestedColumns, type ColumnsRequest } from './requested-columns.ts'

interface Reference<Columns> {
  /** What is referred to, as messages name it, and its type in the schema. */
  readonly what: string
  readonly columns: ColumnsRequest
  /** Looks up the columns that a query asks for. */
  readonly find: (context: Context, id: string, columns: readonly (keyof Columns)[]) => Promise<object | null>
}

/**
 * Makes what loads the row that other rows refer to, with the columns that the query asks for: those of one list at once,
 * and each row once, whatever the number of those that refer to it.
 * @typeParam Row has all columns; a field whose column was not looked up is read by the Prisma plugin
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
    // A mutation shows what it has changed, whatever was loaded before it.
    const isQuery = info.operation.operation === OperationTypeNode.QUERY
    return isQuery ? context.loaders.once(columns, id, load) : load()
  }
