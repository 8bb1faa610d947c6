import type { Command } from 'commander'

/** `orrery print-schema`: the GraphQL schema, as in schema.graphql. */
export function addPrintSchemaCommand(program: Command): void {
  program
    .command('print-schema')
    .description('print the GraphQL schema')
    .action(async () => {
      const [{ lexicographicSortSchema, printSchema }, { schema }] = await Promise.all([
        import('graphql'),
        import('../graphql/schema.ts'),
      ])
      console.log(printSchema(lexicographicSortSchema(schema)))
    })
}
