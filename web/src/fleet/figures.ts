import { graphql } from '../api/graphql.ts'
import type { ResultOf } from '../api/graphql.ts'

const figures = graphql(`
  fragment Figures on ClusterFigures {
    clusterId
    tenantId
    name
    caStatus
    caRotationPhase
    certificatesEndingWithin30Days
    unpublishedVersions
    convergence {
      version
      total
      applied
      failed
      behindSince
    }
    nodes {
      all
      online
      failing
      offline
      blocked
      outdated
      pending
    }
  }
`)

export type Figures = ResultOf<typeof figures>

export const fleetDocument = graphql(
  `
    query Fleet {
      fleet {
        isTruncated
        clusters(first: 500) {
          ...Figures
        }
        tenants(first: 500) {
          tenant {
            id
            name
          }
        }
      }
    }
  `,
  [figures],
)

export type Fleet = ResultOf<typeof fleetDocument>['fleet']

export const fleetChangedDocument = graphql(
  `
    subscription FleetChanged {
      fleetChanged {
        __typename
        ... on FleetClusterAdded {
          figures {
            ...Figures
          }
        }
        ... on FleetFiguresChanged {
          figures {
            ...Figures
          }
        }
        ... on FleetProblem {
          figures {
            ...Figures
          }
        }
        ... on FleetClusterRemoved {
          clusterId
        }
      }
    }
  `,
  [figures],
)

export type FleetChange = ResultOf<typeof fleetChangedDocument>['fleetChanged']
