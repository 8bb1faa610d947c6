/**
 * Whether a client takes a coding (RFC 9110, 12.5.3): it names it, or `*`, without the weight 0.
 * @param header `Accept-Encoding`; a client that sends none takes what is not encoded
 */
export function accepts(header: string | null, coding: string): boolean {
  let others = false
  for (const one of header?.toLowerCase().split(',') ?? []) {
    const [name = '', ...parameters] = one.split(';').map((part) => part.trim())
    const isTaken = !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))
    if (name === coding) return isTaken
    if (name === '*') others = isTaken
  }
  return others
}
