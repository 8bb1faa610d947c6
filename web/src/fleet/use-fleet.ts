import { useQuery, useQueryClient, type QueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'

import { request } from '../api/request.ts'
import { follow } from '../api/stream.ts'
import { fleetChangedDocument, fleetDocument, type Figures, type Fleet, type FleetChange } from './figures.ts'

const queryKey = ['fleet']

/** The figures of all clusters that the visitor sees, kept as they are now. */
export function useFleet() {
  const queries = useQueryClient()
  useEffect(
    () => follow(fleetChangedDocument, {}, ({ fleetChanged }) => hear(queries, fleetChanged)),
    // The stream opens itself again: once is enough.
    [queries],
  )
  return useQuery({
    queryKey,
    queryFn: async ({ signal }) => (await request(fleetDocument, {}, signal)).fleet,
  })
}

function hear(queries: QueryClient, change: FleetChange): void {
  const update = (change_: (clusters: readonly Figures[]) => Figures[]) =>
    queries.setQueryData<Fleet>(queryKey, (fleet) => fleet && { ...fleet, clusters: change_(fleet.clusters) })
  switch (change.__typename) {
    case 'FleetFiguresChanged':
    case 'FleetProblem':
      update((clusters) => withFigures(clusters, change.figures))
      return
    case 'FleetClusterRemoved':
      update((clusters) => clusters.filter(({ clusterId }) => clusterId !== change.clusterId))
      return
    case 'FleetClusterAdded':
    case 'FleetResync':
    case 'FleetTenantAdded':
    case 'FleetTenantRemoved':
      void queries.invalidateQueries({ queryKey })
      return
    default:
      // An event that a newer server sends: what it is about is read again.
      void queries.invalidateQueries({ queryKey })
  }
}

const withFigures = (clusters: readonly Figures[], figures: Figures): Figures[] =>
  clusters.map((present) => (present.clusterId === figures.clusterId ? figures : present))
