import * as z from 'zod'

import type { Scope } from '../../auth/scope.ts'
import { jsonOf } from '../../base/json.ts'
import type { FoundRow, SearchedTable } from '../../db/reads/search.ts'
import { check, namePartRule } from '../shared/rules.ts'
import { networkWith, questionOf, type Question } from './question.ts'

/** In which value something was found. */
export const searchFields = ['ID', 'ADDRESS', 'FINGERPRINT', 'NAME', 'NETWORK', 'ROUTE', 'DESCRIPTION'] as const
export type SearchField = (typeof searchFields)[number]

export interface SearchMatch {
  readonly table: SearchedTable
  readonly id: string
  readonly field: SearchField
  readonly value: string
}

export interface SearchResult {
  readonly matches: readonly SearchMatch[]
  /** What else to try; null when something was found. */
  readonly hint: string | null
}

/** How many matches a search returns. */
export const searchSizes = { standard: 20, most: 50 }

const tables = ['tenants', 'clusters', 'nodes'] as const
const networkList = jsonOf(z.array(z.string()))

/**
 * Searches everything that the caller reaches, by names, descriptions, addresses, fingerprints and ids, in at most ten
 * statements that run at the same time. The best matches are first: those of a whole value before parts of a name, and
 * these before networks and descriptions. A row is there once.
 * @throws ValidationError when no name could contain the text
 */
export async function search(scope: Scope, input: string, limit: number): Promise<SearchResult> {
  check(namePartRule, input, ['text'])
  const question = questionOf(input)
  if (question.text === '') return { matches: [], hint: question.hint }
  const groups = await Promise.all([...exact(scope, question, limit), ...byText(scope, question, limit)])
  const seen = new Set<string>()
  const matches = groups
    .flat()
    .toSorted((a, b) => searchFields.indexOf(a.field) - searchFields.indexOf(b.field))
    .filter(({ id }) => !seen.has(id) && seen.add(id))
    .slice(0, limit)
  return { matches, hint: matches.length === 0 ? question.hint : null }
}

const matchesOf = (rows: readonly FoundRow[], table: SearchedTable, field: SearchField): SearchMatch[] =>
  rows.map((row) => ({ table, field, ...row }))

function exact({ read }: Scope, { id, address, fingerprint }: Question, limit: number): Promise<SearchMatch[]>[] {
  const found: Promise<SearchMatch[]>[] = []
  if (id !== null) {
    found.push(...tables.map(async (table) => matchesOf(await read.search.id(table, id), table, 'ID')))
  }
  if (fingerprint !== null) {
    found.push(read.search.fingerprint(fingerprint, limit).then((rows) => matchesOf(rows, 'nodes', 'FINGERPRINT')))
  }
  if (address !== null) {
    found.push(
      read.search.address(address, limit).then((rows) => matchesOf(rows, 'nodes', 'ADDRESS')),
      read.search.networks().then((rows) => matchesOf(containing(rows, one, address), 'clusters', 'NETWORK')),
      read.search.routes().then((rows) => matchesOf(containing(rows, several, address), 'nodes', 'ROUTE')),
    )
  }
  return found
}

function byText({ read }: Scope, { text, id, address }: Question, limit: number): Promise<SearchMatch[]>[] {
  // Names may have such a part, but whoever types a whole id or address means it.
  if (id !== null || address !== null) return []
  return tables.flatMap((table) => [
    read.search.names(table, text, limit).then((rows) => matchesOf(rows, table, 'NAME')),
    read.search.descriptions(table, text, limit).then((rows) => matchesOf(rows, table, 'DESCRIPTION')),
  ])
}

/** The rows of which a network contains the address, with that network. */
const containing = (rows: readonly FoundRow[], networksOf: (value: string) => readonly string[], address: string) =>
  rows.flatMap(({ id, value }) => {
    const network = networkWith(networksOf(value), address)
    return network === undefined ? [] : [{ id, value: network }]
  })

const one = (value: string): string[] => [value]
const several = (value: string): string[] => networkList.safeParse(value).data ?? []
