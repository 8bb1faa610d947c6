import SchemaBuilder from '@pothos/core'
import ComplexityPlugin from '@pothos/plugin-complexity'
import ErrorsPlugin from '@pothos/plugin-errors'
import PrismaPlugin from '@pothos/plugin-prisma'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'

import type PrismaTypes from '../../db/generated/pothos.ts'
import { getDatamodel } from '../../db/generated/pothos.ts'
import type { PrismaClient } from '../../db/generated/sqlite/client.ts'
import { accessOf, refusalFor, scopeOf, type AccessScopes } from './access.ts'
import { complexityError, fieldComplexity, limitsFor, pageSizes } from './cost/complexity.ts'
import type { Context } from './context.ts'
import { plainTexts } from './plain-texts.ts'
import { presentColumns } from '../rows/present-columns.ts'
import type { Scalars } from './scalar-types.ts'

export { pageSizes }

const firstLast = `At most ${pageSizes.most}; ${pageSizes.standard} when neither \`first\` nor \`last\` is given.`

export const builder = new SchemaBuilder<{
  Context: Context
  PrismaTypes: PrismaTypes
  Scalars: Scalars
  AuthScopes: AccessScopes
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
  Connection: { readonly count: () => Promise<number> }
}>({
  plugins: [RelayPlugin, ScopeAuthPlugin, ErrorsPlugin, plainTexts, presentColumns, PrismaPlugin, ComplexityPlugin],
  defaultFieldNullability: false,
  errors: { directResult: true },
  prisma: {
    // Used only where a row lacks a column that a field needs; it is the caller's own client.
    client: (context) => scopeOf(context).db as PrismaClient,
    dmmf: getDatamodel(),
    exposeDescriptions: false,
    filterConnectionTotalCount: false,
    onUnusedQuery: null,
  },
  scopeAuth: {
    authScopes: accessOf,
    // A caller that may not subscribe is refused before a stream is opened.
    authorizeOnSubscribe: true,
    unauthorizedError: (_parent, context) => refusalFor(context),
  },
  complexity: { limit: limitsFor, fieldComplexity, complexityError },
  relay: {
    clientMutationId: 'omit',
    cursorType: 'String',
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    edgesFieldOptions: {
      nullable: false,
      description: 'The rows of this page, each with its cursor.',
    },
    // Rows are read before the page is made: one that cannot be shown fails the list, as everywhere in the schema.
    nodeFieldOptions: { nullable: false, description: 'The row.' },
    cursorFieldOptions: {
      description: 'The row’s position in the list, for `after` and `before`.',
    },
    nodesOnConnection: {
      description: 'The rows of this page, without cursors.',
    },
    pageInfoFieldOptions: { description: 'The position of this page in the list.' },
    pageInfoTypeOptions: {
      name: 'PageInfo',
      description: 'The position of a page in its list.',
    },
    hasNextPageFieldOptions: {
      description: 'Whether more rows follow this page; for pages requested with `first`.',
    },
    hasPreviousPageFieldOptions: {
      description: 'Whether more rows precede this page; for pages requested with `last`.',
    },
    startCursorFieldOptions: {
      description: 'The cursor of the first row; null when the page is empty.',
    },
    endCursorFieldOptions: {
      description: 'The cursor of the last row; null when the page is empty.',
    },
    firstArgOptions: {
      description: `How many rows from the beginning. ${firstLast}`,
    },
    lastArgOptions: { description: `How many rows from the end. ${firstLast}` },
    afterArgOptions: {
      description: 'Only rows after the one with this cursor.',
    },
    beforeArgOptions: {
      description: 'Only rows before the one with this cursor.',
    },
    mutationInputArgOptions: { description: 'The input of the mutation.' },
  },
})

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description:
      'The number of rows on all pages; counted only when it is selected. With a filter, and of lists of all nodes or of audit events, each row is read for it: such counts wait for one another, and are refused when too many wait (`TOO_MANY_REQUESTS`) or when one takes longer than a statement may (`OVERLOADED`).',
    resolve: ({ count }) => count(),
  }),
)

builder.queryType({
  description:
    'What can be read. Each field says who may read it. A row that is not yours looks like one that does not exist.',
})
builder.subscriptionType({
  description:
    'What can be subscribed to, as server-sent events (`Accept: text/event-stream`, one stream per request).',
})
builder.mutationType({
  description:
    'What can be changed. Each mutation returns its payload or one of the errors of its union. A change of what nodes must run bumps the cluster’s `configVersion` in the same transaction.',
})
