import type { Command } from 'commander'
import { lexicographicSortSchema, printSchema } from 'graphql'

import { schema } from '../graphql/schema.ts'

/** `orrery print-schema`: the GraphQL schema, as checked in as schema.graphql. */
export function addPrintSchemaCommand(program: Command): void {
  program
    .command('print-schema')
    .description('print the GraphQL schema')
    .action(() => {
      console.log(printSchema(lexicographicSortSchema(schema)))
    })
}
