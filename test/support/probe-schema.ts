import { createSchema } from 'graphql-yoga'

import type { SpooledFile } from '../../src/base/limits/spool.ts'

/** Resolver behaviour that no resolver of Orrery's has: slow, broken, or with a file to count. */
export const probeSchema = createSchema({
  typeDefs: /* GraphQL */ `
    scalar File
    type Query {
      hello(name: String = "you"): String!
      count(numbers: [Int!]): Int!
      broken(secret: String): String!
      limping: String
      badValue: Int
      tenant: String
    }
    type Mutation {
      upload(file: File!): Int!
      change: Boolean!
    }
    type Subscription {
      ticks: Int
    }
  `,
  resolvers: {
    Query: {
      hello: (_root, { name }: { name: string }) => `Hello ${name}`,
      count: (_root, { numbers }: { numbers?: number[] }) => numbers?.length ?? 0,
      broken: () => {
        throw new TypeError('SELECT nothing FROM internals')
      },
      limping: () => {
        throw new TypeError('SELECT nothing FROM internals')
      },
      badValue: () => 'internal text that is no number',
      tenant: () => null,
    },
    Mutation: {
      upload: async (_root, { file }: { file: SpooledFile }) => {
        let size = 0
        for await (const chunk of file.stream()) size += chunk.byteLength
        return size
      },
      change: () => true,
    },
    Subscription: {
      ticks: {
        async *subscribe() {
          yield await Promise.resolve({ ticks: 1 })
          throw new TypeError('SELECT ticks FROM internals')
        },
      },
    },
  },
})
