import { useQuery } from '@tanstack/react-query'

import { request } from '../api/request.ts'
import { overviewDocument } from './overview-document.ts'
import { clusterKey, refetchInterval } from './use-cluster.ts'

/** How far ahead certificates are looked at: 30 days. */
const ahead = 30 * 86_400_000

/** What the overview shows. */
export const useOverview = (id: string) =>
  useQuery({
    queryKey: [...clusterKey(id), 'overview'],
    queryFn: async ({ signal }) => {
      const soon = new Date(Date.now() + ahead).toISOString()
      return (await request(overviewDocument, { id, soon }, signal)).cluster
    },
    refetchInterval,
  })
