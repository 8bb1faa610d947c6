import { keepPreviousData, useQuery } from '@tanstack/react-query'

import { graphql, type ResultOf } from '../api/graphql.ts'
import { request } from '../api/request.ts'

const searchDocument = graphql(`
  query Search($text: String!) {
    search(text: $text, first: 12) {
      hint
      matches {
        value
        node {
          id
          name
          overlayIp
          cluster {
            id
            name
          }
        }
        cluster {
          id
          name
        }
        tenant {
          id
          name
        }
      }
    }
  }
`)

export type Match = ResultOf<typeof searchDocument>['search']['matches'][number]

/** What the text finds; asked for only when there is one. */
export const useSearch = (text: string) =>
  useQuery({
    queryKey: ['search', text],
    queryFn: async ({ signal }) => (await request(searchDocument, { text }, signal)).search,
    enabled: text !== '',
    placeholderData: keepPreviousData,
  })
