import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { request } from '../api/request.ts'
import { follow } from '../api/stream.ts'
import { atMostEvery } from '../kit/at-most-every.ts'
import { clusterChangedDocument, clusterDocument } from './cluster-document.ts'

/** Milliseconds between two readings of a cluster that changes all the time. */
const pace = 1_500

/** Nobody tells that a node falls silent or that a certificate ends: milliseconds until both are looked at. */
export const refetchInterval = 30_000

/** All that is read of a cluster has a key below this one, and is read again together. */
export const clusterKey = (id: string) => ['cluster', id]

/** What every view of the cluster shows; null if it is missing or another's. */
export const useCluster = (id: string) =>
  useQuery({
    queryKey: [...clusterKey(id), 'head'],
    queryFn: async ({ signal }) => (await request(clusterDocument, { id }, signal)).cluster,
    refetchInterval,
  })

/** Reads what is shown of the cluster again whenever something in it has changed. */
export function useClusterLive(id: string): void {
  const queries = useQueryClient()
  useEffect(() => {
    const reading = atMostEvery(pace, () => void queries.invalidateQueries({ queryKey: clusterKey(id) }))
    const stop = follow(clusterChangedDocument, { id }, reading.ask)
    return () => {
      stop()
      reading.stop()
    }
  }, [queries, id])
}
