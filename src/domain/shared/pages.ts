import type { Scope } from '../../auth/scope.ts'
import type { Listing, Row, Sql, Window } from '../../db/reads/pages.ts'

export type { Window } from '../../db/reads/pages.ts'

/**
 * A list of the domain: its rows and their order. The same description serves one page of all rows in scope, a page for
 * each of many parents, and counts.
 */
export interface List {
  readonly listing: Listing
  readonly where: readonly Sql[]
}

/** The requested part of a list: the fields to read and the part of the order. */
export interface Excerpt {
  readonly fields: readonly string[]
  readonly window: Window
}

/** The parent of rows that belong to a cluster, for `Listing.parent`. */
export const ofCluster = {
  table: 'clusters',
  on: [
    ['tenant_id', 'tenant_id'],
    ['cluster_id', 'id'],
  ],
} as const satisfies Listing['parent']

/** A page of all rows of the list that are in the scope. */
export const readPage = (scope: Scope, { listing, where }: List, { fields, window }: Excerpt): Promise<Row[]> =>
  scope.pages.page(listing, fields, where, window)

/** A page for each parent, by the parent's id, in one statement. */
export const readPages = (
  scope: Scope,
  { listing, where }: List,
  parentIds: readonly string[],
  { fields, window }: Excerpt,
): Promise<Map<string, Row[]>> => scope.pages.pagesByParent(listing, parentIds, fields, where, window)

export const countRows = (scope: Scope, { listing, where }: List): Promise<number> => scope.pages.count(listing, where)

/** Parents without rows are missing from the result. */
export const countRowsByParent = (
  scope: Scope,
  { listing, where }: List,
  parentIds: readonly string[],
): Promise<Map<string, number>> => scope.pages.countByParent(listing, parentIds, where)
