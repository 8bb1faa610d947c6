import { initGraphQLTada } from 'gql.tada'

import type { introspection } from './generated/schema.d.ts'

/** Makes a document whose variables and answer have the schema's types. */
export const graphql = initGraphQLTada<{
  introspection: introspection
  disableMasking: true
  scalars: {
    CIDR: string
    DateTimeISO: string
    File: Blob
    IP: string
    NonNegativeInt: number
    Port: number
    PositiveInt: number
    URL: string
    UUID: string
  }
}>()

export type { ResultOf, TadaDocumentNode } from 'gql.tada'
