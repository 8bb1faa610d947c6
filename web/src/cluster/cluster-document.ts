import { graphql, type ResultOf } from '../api/graphql.ts'

export const clusterDocument = graphql(`
  query Cluster($id: UUID!) {
    cluster(id: $id) {
      id
      name
      description
      networkCidr
      tenant {
        name
      }
      figures {
        unpublishedVersions
        certificatesEndingWithin30Days
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
    }
  }
`)

export type ClusterHead = NonNullable<ResultOf<typeof clusterDocument>['cluster']>

export const clusterChangedDocument = graphql(`
  subscription ClusterChanged($id: UUID!) {
    clusterChanged(clusterId: $id) {
      __typename
    }
  }
`)
