import * as z from 'zod'

import { jsonOf } from '../../base/json.ts'
import { printableLine } from '../../base/texts/printable.ts'
import { lineProblem } from '../../base/texts/text.ts'
import type { Answer } from '../../base/bounded-request.ts'
import { sliceBounds } from '../../nebula/bundle/slice-bounds.ts'
import { bounds } from './bounds.ts'
import { RefusedError, UnauthenticatedError, UnavailableError } from '../errors.ts'

/* The shapes of the control plane's answers. An answer of another shape is rejected. */

const version = z.int32().positive()
const pem = z.string().max(sliceBounds.certificates)
const port = z.int().min(1).max(65_535)
const network = z.union([z.cidrv4(), z.cidrv6()])

/** Fields of the payload that gives a node its certificate, as a query names them. */
export const identityFields = 'node { id name } certificate caCertificate networkCidr bundleSigningKey clusterId'

export const identityShape = z.object({
  node: z.object({
    id: z.uuid(),
    name: z
      .string()
      .min(1)
      .max(bounds.name)
      .refine((name) => lineProblem(name) === null, 'must be one line without control characters'),
  }),
  certificate: pem,
  caCertificate: pem,
  networkCidr: network,
  bundleSigningKey: z.string().regex(/^[A-Za-z0-9+/]{43}=$/, 'must be 32 bytes in base64'),
  clusterId: z.uuid(),
})
export const enrolledShape = identityShape.extend({
  token: z.string().regex(/^orn_[\w-]{1,200}$/, 'must be a node token'),
})

/** What a node receives with its certificate. */
export type Identity = z.infer<typeof identityShape>

/** What a token is for. A node's own token has its cluster one level deeper. */
export const viewerShape = z.object({
  viewer: z.object({
    clusterId: z.uuid().optional(),
    networkCidr: network.optional(),
    isLighthouse: z.boolean().optional(),
    port: port.nullish(),
    cluster: z.object({ id: z.uuid(), networkCidr: network, lighthousePort: port }).optional(),
  }),
})

export const publishedShape = z.object({ configPublished: z.object({ version }) })

export const mutationShape = z.record(
  z.string(),
  z.looseObject({ __typename: z.string(), message: z.string().optional() }),
)

/** The text of a GraphQL result. */
export const resultText = jsonOf(
  z.object({
    // Absent when the query itself was refused.
    data: z.unknown().optional(),
    errors: z
      .array(z.object({ message: z.string(), extensions: z.looseObject({ code: z.string().optional() }).optional() }))
      .min(1)
      .optional(),
  }),
)

/** A text from the control plane, for a terminal or a log. */
export const words = (text: string | undefined): string => printableLine(text ?? 'unknown', bounds.words)

/** The failure that a result's errors stand for: the first one decides. */
export function failureIn(errors: NonNullable<z.infer<typeof resultText>['errors']>): Error {
  const [first] = errors
  switch (first?.extensions?.code) {
    case 'UNAUTHENTICATED':
      return unknownToken()
    case 'INTERNAL_SERVER_ERROR':
    case 'UNAVAILABLE':
    case 'TRY_AGAIN':
    case 'TOO_MANY_REQUESTS':
      return new UnavailableError(`the control plane failed: ${words(first.message)}`, null)
    default:
      return new RefusedError(`the control plane refused: ${words(first?.message)}`)
  }
}

/**
 * The failure that an unexpected answer stands for, by its status and headers.
 * @param body where it was read: the words of a refusal are in it
 */
export function failureOf({ status, headers }: Pick<Answer, 'status' | 'headers'>, body?: Buffer): Error {
  if (status === 401) return unknownToken()
  const message = `the control plane answered ${status}`
  if (status >= 500 || status === 429) return new UnavailableError(message, secondsIn(headers['retry-after']))
  const said = resultText.safeParse(body?.toString()).data?.errors
  return said === undefined ? new RefusedError(message) : failureIn(said)
}

const unknownToken = () =>
  new UnauthenticatedError('the control plane does not know this token: rotated, or the node was deleted')

/** `Retry-After` (RFC 9110, 10.2.3), in seconds from now and within bounds; null when it is missing or unreadable. */
function secondsIn(header: string | undefined): number | null {
  if (header === undefined) return null
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000
  return Number.isNaN(seconds) ? null : Math.min(bounds.retryAfter, Math.max(0, seconds))
}
