import { graphql, type ResultOf } from '../api/graphql.ts'
import { reasonFields } from './reason-fields.ts'

export const nodesDocument = graphql(
  `
    query Nodes(
      $id: UUID!
      $filter: NodeFilter
      $orderBy: NodeOrder
      $first: Int
      $after: String
      $last: Int
      $before: String
    ) {
      cluster(id: $id) {
        latestBundleVersion
        nodes(filter: $filter, orderBy: $orderBy, first: $first, after: $after, last: $last, before: $before) {
          totalCount
          pageInfo {
            startCursor
            endCursor
            hasNextPage
            hasPreviousPage
          }
          nodes {
            ...Reason
            overlayIp
            groups
            isLighthouse
            isRelay
            isAdmin
          }
        }
      }
    }
  `,
  [reasonFields],
)

type Page = NonNullable<ResultOf<typeof nodesDocument>['cluster']>

export type NodeRow = Page['nodes']['nodes'][number]
export type PageInfo = Page['nodes']['pageInfo']

export const nodeDocument = graphql(
  `
    query Node($id: UUID!) {
      node(id: $id) {
        ...Reason
        description
        overlayIp
        groups
        labels {
          key
          value
        }
        routes
        mtu
        isLighthouse
        isRelay
        isAdmin
        lighthousePublicIp
        lighthousePort
        certificateFingerprint
        nebulaVersion
        ephemeralSeconds
        createdAt
        cluster {
          id
          latestBundleVersion
        }
      }
    }
  `,
  [reasonFields],
)

export type NodeDetails = NonNullable<ResultOf<typeof nodeDocument>['node']>
