import { useLocation, useSearch } from 'wouter'

import { isId } from '../kit/ids.ts'
import { statuses, type Status } from './statuses.ts'

/** By what the nodes can be put in order. */
export const sortFields = ['NAME', 'ADDRESS', 'VERSION', 'LAST_SEEN', 'CERTIFICATE_EXPIRES'] as const

export type SortField = (typeof sortFields)[number]

/** The longest text that is looked for. */
export const longestText = 100

/** Which nodes are listed, and which one is looked at, as the address bar says it. */
export interface ListAddress {
  readonly text: string
  readonly status: readonly Status[]
  readonly sort: SortField
  readonly isDescending: boolean
  /** The cursor that the page begins after or ends before; at most one of them. */
  readonly after: string | null
  readonly before: string | null
  readonly node: string | null
}

/** Reads the address; what it cannot mean is left out. */
function readAddress(search: string): ListAddress {
  const given = new URLSearchParams(search)
  const asked = (given.get('status') ?? '').split(',')
  const after = given.get('after')
  const node = given.get('node')
  return {
    text: (given.get('text') ?? '').slice(0, longestText),
    status: statuses.filter((status) => asked.includes(status)),
    sort: sortFields.find((field) => field === given.get('sort')) ?? 'NAME',
    isDescending: given.get('order') === 'desc',
    after,
    before: after === null ? given.get('before') : null,
    node: node !== null && isId(node) ? node : null,
  }
}

/** The address's text; what is as usual is left out. */
function writeAddress(address: ListAddress): string {
  const { text, status, sort, isDescending, after, before, node } = address
  const parts: readonly (readonly [string, string | null])[] = [
    ['text', text || null],
    ['status', status.join(',') || null],
    ['sort', sort === 'NAME' ? null : sort],
    ['order', isDescending ? 'desc' : null],
    ['after', after],
    ['before', before],
    ['node', node],
  ]
  const written = new URLSearchParams(parts.flatMap(([name, value]) => (value === null ? [] : [[name, value]])))
  // A comma needs no escape there, and people read the address.
  return written.size === 0 ? '' : `?${written.toString().replaceAll('%2C', ',')}`
}

/** The list's address, the address after a change, and how to go there. */
export function useListAddress() {
  const [path, navigate] = useLocation()
  const address = readAddress(useSearch())
  const hrefOf = (change: Partial<ListAddress>) => `${path}${writeAddress({ ...address, ...change })}`
  return {
    address,
    hrefOf,
    go: (change: Partial<ListAddress>, options?: { readonly replace: boolean }) => navigate(hrefOf(change), options),
  }
}

/** Another list begins at its first page. */
export const firstPage = { after: null, before: null }
