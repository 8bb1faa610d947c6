import SchemaBuilder, { BasePlugin, type PothosOutputFieldConfig, type SchemaTypes } from '@pothos/core'
import type { GraphQLFieldResolver } from 'graphql'

import { columnsOf } from './requested-columns.ts'

export const presentColumns = 'presentColumns'

declare global {
  // Pothos looks here for the plugins that a builder may name.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Pothos declares it so
  export namespace PothosSchemaTypes {
    export interface Plugins<Types extends SchemaTypes> {
      presentColumns: PresentColumnsPlugin<Types>
    }
  }
}

/**
 * Answers a field from its row if the row has the columns already. The Prisma plugin trusts only rows that it planned
 * itself and reads all others again, one statement per row: those of a mutation's payload (which a deletion has just
 * removed) and those that a loader has read for a whole list at once.
 */
class PresentColumnsPlugin<Types extends SchemaTypes> extends BasePlugin<Types> {
  override wrapResolve(
    resolver: GraphQLFieldResolver<unknown, Types['Context'], object>,
    { kind, resolve }: PothosOutputFieldConfig<Types>,
  ): GraphQLFieldResolver<unknown, Types['Context'], object> {
    if (kind !== 'PrismaObject' || !resolve) return resolver
    let needed: readonly string[] | null | undefined
    return (row, args, context, info) => {
      if (needed === undefined) needed = columnsOf(info.parentType, [info.fieldName], info)
      // Relations and computed selections stay the Prisma plugin's.
      const present = needed?.every((column) => (row as Readonly<Record<string, unknown>>)[column] !== undefined)
      return (present ? resolve : resolver)(row, args, context, info)
    }
  }
}

// Named before the Prisma plugin, it wraps the resolvers that the Prisma plugin has wrapped.
SchemaBuilder.registerPlugin(presentColumns, PresentColumnsPlugin)
