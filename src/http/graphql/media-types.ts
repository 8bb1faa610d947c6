/** The media types of a document; clients that accept any type get the first. */
export const documentTypes = ['application/json', 'application/graphql-response+json'] as const
/** The media type of a stream, and of a document for clients that accept nothing else (GraphQL over SSE). */
export const streamType = 'text/event-stream'

export type MediaType = (typeof documentTypes)[number] | typeof streamType

/**
 * The media type of an answer: the first type in the header that is offered. Weights (`q`) are ignored.
 * @param accept the header; null where there is none
 * @returns null when the client accepts no type that is offered
 */
export function mediaTypeFor(accept: string | null, offered: readonly MediaType[]): MediaType | null {
  // Fast paths: most clients name one type or none.
  if (!accept || accept === '*/*') return offered[0] ?? null
  const named = offered.find((type) => type === accept)
  if (named) return named
  for (const one of accept.toLowerCase().replace(/\s/g, '').split(',')) {
    const [range = '', ...parameters] = one.split(';')
    const charset = parameters.find((parameter) => parameter.includes('charset='))
    if (charset !== undefined && charset !== 'charset=utf-8') continue
    const found = offered.find((type) => isWithin(type, range))
    if (found) return found
  }
  return null
}

function isWithin(type: MediaType, range: string): boolean {
  const [kind, subtype] = range.split('/')
  const [ofType, ofSubtype] = type.split('/')
  return (kind === '*' || kind === ofType) && (subtype === '*' || subtype === ofSubtype)
}
