import { graphql, type ResultOf } from '../api/graphql.ts'
import { reasonFields } from '../nodes/reason-fields.ts'

export const overviewDocument = graphql(
  `
    query Overview($id: UUID!, $soon: DateTimeISO!) {
      cluster(id: $id) {
        caStatus
        caExpiresAt
        caRotationDueAt
        canBeSignedFor
        caRotation {
          phase
          waitingFor
          startedAt
        }
        provideLighthouse
        lighthousePort
        convergence {
          version
          total
          applied
          failed
          behindSince
        }
        failing: nodes(first: 5, filter: { status: [FAILING] }) {
          nodes {
            ...Reason
          }
        }
        outdated: nodes(first: 5, filter: { status: [OUTDATED] }, orderBy: { field: VERSION }) {
          nodes {
            ...Reason
          }
        }
        offline: nodes(first: 5, filter: { status: [OFFLINE] }, orderBy: { field: LAST_SEEN }) {
          nodes {
            ...Reason
          }
        }
        lighthouses: nodes(first: 6, filter: { isLighthouse: true }) {
          totalCount
          nodes {
            id
            name
            status
            overlayIp
            lighthousePublicIp
            lighthousePort
          }
        }
        ending: nodes(first: 5, filter: { certificateExpiresBefore: $soon }, orderBy: { field: CERTIFICATE_EXPIRES }) {
          nodes {
            id
            name
            certificateStatus
            certificateExpiresAt
          }
        }
        bundles(first: 5) {
          nodes {
            version
            createdAt
            message
            createdBy {
              name
            }
          }
        }
      }
    }
  `,
  [reasonFields],
)

export type OverviewData = NonNullable<ResultOf<typeof overviewDocument>['cluster']>
