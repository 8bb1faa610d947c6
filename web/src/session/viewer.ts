import { useQuery } from '@tanstack/react-query'

import { graphql } from '../api/graphql.ts'
import { request } from '../api/request.ts'

const viewerDocument = graphql(`
  query Viewer {
    viewer {
      __typename
      ... on Operator {
        subject
      }
      ... on TenantAdmin {
        subject
        role
        tenant {
          id
          name
        }
      }
    }
  }
`)

export const viewerKey = ['viewer']

export type ViewerQuery = typeof viewerDocument

/** Who is signed in; an error of the kind SessionEnded when nobody is. */
export const useViewer = () =>
  useQuery({
    queryKey: viewerKey,
    queryFn: async ({ signal }) => (await request(viewerDocument, {}, signal)).viewer,
    staleTime: 60_000,
  })
