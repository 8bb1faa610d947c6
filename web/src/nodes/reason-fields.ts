import { graphql, type ResultOf } from '../api/graphql.ts'

/** What says why a node is not as it should be. */
export const reasonFields = graphql(`
  fragment Reason on Node {
    id
    name
    status
    lastError
    lastSeenAt
    blockedAt
    runningConfigVersion
    certificateStatus
    certificateExpiresAt
  }
`)

export type ReasonNode = ResultOf<typeof reasonFields>
