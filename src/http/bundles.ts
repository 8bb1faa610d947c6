import type { Scope } from '../auth/scope.ts'
import type { NodeSession, Session } from '../auth/session.ts'
import { isId } from '../base/ids.ts'
import type { Logger } from '../base/log.ts'
import type { BundleShelf } from '../domain/bundle/shelf.ts'
import { sliceOf } from '../domain/bundle/slices.ts'
import {
  getConfigBundle,
  getConfigBundleArchive,
  getLatestConfigBundleVersion,
  type ConfigBundle,
} from '../domain/config-bundles.ts'
import type { Exchange } from './exchange.ts'
import { failure, Response } from './responses.ts'
import type { Route } from './router.ts'

/** What downloads are served from. */
interface BundleMeans {
  readonly shelf: BundleShelf
  readonly log: Logger
}

/**
 * Downloads of bundles: `GET /bundle` is a node's own slice of the newest one, with the version as its ETag, so that a
 * poll without news is a 304; `GET /clusters/<id>/bundles/<version>` is any version's whole archive, for everybody but
 * plain nodes.
 */
export const bundleRoutes = (means: BundleMeans): readonly Route[] => [
  {
    path: '/bundle',
    methods: {
      GET: async (exchange) => {
        const session = await exchange.session()
        if (session.kind === 'anonymous') return unauthenticated()
        if (session.kind !== 'node') return forbidden('Only nodes have a bundle of their own.')
        // Most polls end here: the number of the newest version is all that they read.
        const version = await getLatestConfigBundleVersion(session.scope, session.clusterId)
        if (version === null) return missing()
        if (isKnown(exchange.request, version)) return notModified(version)
        return slice(exchange, means, session, version)
      },
    },
  },
  {
    path: /^\/clusters\/(?<clusterId>[^/]+)\/bundles\/(?<version>[1-9]\d{0,8})$/,
    methods: {
      GET: async (exchange, { clusterId = '', version = '' }) => {
        const session = await exchange.session()
        if (session.kind === 'anonymous') return unauthenticated()
        if (!mayReadArchives(session)) return forbidden('You may not download whole archives.')
        const id = clusterId.toLowerCase()
        const bundle = isId(id) ? await getConfigBundle(session.scope, id, Number(version)) : null
        return download(exchange, session.scope, id, bundle)
      },
    },
  },
]

/** What is a node's of its cluster's version, out of memory once one of its nodes asked. */
async function slice(
  { request }: Exchange,
  { shelf, log }: BundleMeans,
  { clusterId, nodeId }: NodeSession,
  version: number,
): Promise<Response> {
  const bundle = await shelf.get(clusterId, version)
  if (bundle === null) {
    log.warn({ clusterId, version }, 'the newest bundle was not compiled; the next version will be')
    return missing()
  }
  const data = sliceOf(bundle, nodeId)
  if (data === null) {
    return failure(404, 'NOT_FOUND', 'No published version has this node yet: it needs a certificate first.')
  }
  const headers = { ...validators(version), 'content-type': 'application/gzip', 'content-length': String(data.length) }
  return new Response(request.method === 'HEAD' ? null : data, { headers })
}

type ArchiveReader = Exclude<Session, { kind: 'anonymous' }>

/** A plain node learns its own slice only, never the others' certificates. */
const mayReadArchives = (session: ArchiveReader): boolean =>
  session.kind === 'operator' || session.kind === 'tenantAdmin' || (session.kind === 'node' && session.isAdmin)

/** Answers from the metadata where that is enough; the archive is read only when it is sent. */
async function download(
  { request }: Exchange,
  scope: Scope,
  clusterId: string,
  bundle: ConfigBundle | null,
): Promise<Response> {
  if (!bundle) return missing()
  const { version, size } = bundle
  if (isKnown(request, version)) return notModified(version)
  const headers = {
    ...validators(version),
    'content-type': 'application/gzip',
    'content-length': String(size),
    'content-disposition': `attachment; filename="bundle-${version}.tar.gz"`,
  }
  if (request.method === 'HEAD') return new Response(null, { headers })
  const archive = await getConfigBundleArchive(scope, clusterId, version)
  // Null when it was deleted in the meantime.
  return archive ? new Response(archive.data, { headers }) : missing()
}

const validators = (version: number) => ({
  etag: `"${version}"`,
  // Kept by the client alone, and asked for again each time: the credential may have ended.
  'cache-control': 'private, no-cache',
  vary: 'authorization',
})

const notModified = (version: number): Response => new Response(null, { status: 304, headers: validators(version) })

const missing = (): Response => failure(404, 'NOT_FOUND', 'There is no such bundle.')

/** Whether `If-None-Match` names this version: weakly, any of a list, or `*` (RFC 9110, 13.1.2). */
const isKnown = ({ headers }: Request, version: number): boolean =>
  (headers.get('if-none-match') ?? '')
    .split(',')
    .some((one) => ['*', `"${version}"`].includes(one.trim().replace(/^W\//, '')))

const unauthenticated = (): Response =>
  failure(401, 'UNAUTHENTICATED', 'Sign in first: a valid credential belongs in the Authorization header.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

const forbidden = (message: string): Response => failure(403, 'FORBIDDEN', message)
