import {
  search,
  searchSizes,
  type SearchField,
  type SearchMatch,
  type SearchResult,
} from '../../domain/search/search.ts'
import { Cluster, loadCluster } from '../clusters/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { badUserInput } from '../kit/errors.ts'
import { loadNode, Node } from '../nodes/nodes.ts'
import { loadTenant, Tenant } from '../tenants/tenants.ts'

const SearchFieldType = builder.enumType('SearchField', {
  description: 'In which value a searched text was found, from the best to the weakest match.',
  values: {
    ID: { value: 'ID', description: 'The text is the id.' },
    ADDRESS: { value: 'ADDRESS', description: 'The text is the overlay address, also with a mask.' },
    FINGERPRINT: {
      value: 'FINGERPRINT',
      description: 'The certificate’s fingerprint begins with the text; colons, spaces and case do not matter.',
    },
    NAME: { value: 'NAME', description: 'The name contains the text; case does not matter.' },
    NETWORK: { value: 'NETWORK', description: 'The cluster’s overlay network contains the address.' },
    ROUTE: { value: 'ROUTE', description: 'A network behind the node contains the address.' },
    DESCRIPTION: { value: 'DESCRIPTION', description: 'The description contains the text; case does not matter.' },
  } as const satisfies { readonly [Name in SearchField]: { value: Name; description: string } },
})

const SearchMatchType = builder.objectRef<SearchMatch>('SearchMatch').implement({
  description: 'Something that was found: exactly one of `tenant`, `cluster` and `node` is not null.',
  fields: (t) => ({
    field: t.expose('field', { type: SearchFieldType, description: 'Why it was found.' }),
    value: t.exposeString('value', { description: 'The value in which the text was found.' }),
    tenant: t.field({
      type: Tenant,
      nullable: true,
      description: 'The tenant that was found.',
      resolve: ({ table, id }, _args, context, info) => (table === 'tenants' ? loadTenant(id, context, info) : null),
    }),
    cluster: t.field({
      type: Cluster,
      nullable: true,
      description: 'The cluster that was found.',
      resolve: ({ table, id }, _args, context, info) => (table === 'clusters' ? loadCluster(id, context, info) : null),
    }),
    node: t.field({
      type: Node,
      nullable: true,
      description: 'The node that was found.',
      resolve: ({ table, id }, _args, context, info) => (table === 'nodes' ? loadNode(id, context, info) : null),
    }),
  }),
})

const SearchResultType = builder.objectRef<SearchResult>('SearchResult').implement({
  description: 'What a search found.',
  fields: (t) => ({
    matches: t.field({
      type: [SearchMatchType],
      description: 'The best matches first; each tenant, cluster and node at most once.',
      resolve: ({ matches }) => [...matches],
    }),
    hint: t.exposeString('hint', {
      nullable: true,
      description: 'Why nothing was found, and what to search for instead; null when something was found.',
    }),
  }),
})

builder.queryField('search', (t) =>
  t.field({
    type: SearchResultType,
    description:
      'Searches the tenants, clusters and nodes that you can see: by part of a name or description, by overlay address (or an address behind a route), by the beginning of a certificate’s fingerprint (6 hex digits or more), or by id. Of descriptions, routes and networks the first 2 000 are searched.',
    authScopes: { clusterReader: true },
    args: {
      text: t.arg.string({ required: true, description: 'What to search for: at most 255 characters.' }),
      first: t.arg.int({
        description: `How many matches: at most ${searchSizes.most}; ${searchSizes.standard} when null.`,
      }),
    },
    resolve: (_root, { text, first }, context) => {
      const limit = first ?? searchSizes.standard
      if (limit < 1 || limit > searchSizes.most) throw badUserInput(`first: must be 1 to ${searchSizes.most}`)
      return search(scopeOf(context), text, limit)
    },
  }),
)
