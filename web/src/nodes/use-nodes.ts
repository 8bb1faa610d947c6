import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { request } from '../api/request.ts'
import { clusterKey, refetchInterval } from '../cluster/use-cluster.ts'
import type { ListAddress } from './list-address.ts'
import { nodeDocument, nodesDocument } from './nodes-document.ts'

/** Nodes on a page. */
const pageSize = 50

/** The page of nodes that the address names; the one before it stays until it has come. */
export function useNodes(id: string, address: ListAddress) {
  const { text, status, sort, isDescending, after, before } = address
  const filter = { ...(text === '' ? {} : { text }), ...(status.length === 0 ? {} : { status: [...status] }) }
  const page = before === null ? { first: pageSize, after } : { last: pageSize, before }
  const orderBy = { field: sort, direction: isDescending ? ('DESC' as const) : ('ASC' as const) }
  return useQuery({
    queryKey: [...clusterKey(id), 'nodes', filter, orderBy, page],
    queryFn: async ({ signal }) => (await request(nodesDocument, { id, filter, orderBy, ...page }, signal)).cluster,
    placeholderData: keepPreviousData,
    refetchInterval,
  })
}

/** One node of the cluster; null if there is none of this id. */
export const useNode = (clusterId: string, id: string) =>
  useQuery({
    queryKey: [...clusterKey(clusterId), 'node', id],
    queryFn: async ({ signal }) => {
      const { node } = await request(nodeDocument, { id }, signal)
      return node?.cluster.id === clusterId ? node : null
    },
    refetchInterval,
  })
