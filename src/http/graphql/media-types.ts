/** What a document is written as; the first is what those get who take whatever there is. */
export const documentTypes = ['application/json', 'application/graphql-response+json'] as const
/** What a stream is written as, and a document for those who read nothing else (GraphQL over SSE). */
export const streamType = 'text/event-stream'

export type MediaType = (typeof documentTypes)[number] | typeof streamType

/**
 * What an answer is written as: of what the client accepts, the first that is offered. Weights (`q`) are passed over.
 * @param accept the header; null where there is none
 * @returns null where it accepts nothing that is offered
 */
export function mediaTypeFor(accept: string | null, offered: readonly MediaType[]): MediaType | null {
  // Most name one type or none.
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
