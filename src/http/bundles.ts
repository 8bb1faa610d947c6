import { budgetOf } from '../auth/session.ts'
import type { FairQueue } from '../base/fair-queue.ts'
import { isId } from '../base/ids.ts'
import { getConfigBundle, getConfigBundleArchive, type ConfigBundle } from '../domain/config-bundles.ts'
import { bundleReachOf, isSignedIn } from '../graphql/access.ts'
import type { Exchange } from './exchange.ts'
import {
  bundleHeaders,
  etagOf,
  isKnown,
  lengthOf,
  ownBundle,
  sliceHeaders,
  type BundleMeans,
  type OwnBundle,
} from './own-bundle.ts'
import { failure, Response } from './responses.ts'
import type { Route } from './router.ts'

/**
 * Downloads of bundles: `GET /bundle` is a node's own slice of the newest one, with the version as its ETag, so that a
 * poll without news is a 304; `GET /clusters/<id>/bundles/<version>` is any version's whole archive, for everybody but
 * plain nodes.
 */
export const bundleRoutes = (means: BundleMeans & { readonly expensive: FairQueue }): readonly Route[] => [
  {
    path: '/bundle',
    methods: {
      GET: async (exchange) => {
        const { headers, method } = exchange.request
        const bundle = await ownBundle(await exchange.session(), headers.get('if-none-match'), means)
        return bundle.kind === 'slice' ? sliceAnswer(bundle, method) : withoutSlice(bundle)
      },
    },
  },
  {
    path: /^\/clusters\/(?<clusterId>[^/]+)\/bundles\/(?<version>[1-9]\d{0,8})$/,
    methods: {
      GET: async (exchange, { clusterId = '', version = '' }) => {
        const session = await exchange.session()
        if (!isSignedIn(session)) return unauthenticated()
        if (bundleReachOf(session) !== 'all') return forbidden('You may not download whole archives.')
        const id = clusterId.toLowerCase()
        const bundle = isId(id) ? await getConfigBundle(session.scope, id, Number(version)) : null
        return download(exchange, bundle, () =>
          means.expensive.run(budgetOf(session), exchange.left, () =>
            getConfigBundleArchive(session.scope, id, Number(version)),
          ),
        )
      },
    },
  },
]

type Slice = Extract<OwnBundle, { kind: 'slice' }>

function sliceAnswer({ version, parts }: Slice, method: string): Response {
  const headers = { ...sliceHeaders, etag: etagOf(version), 'content-length': String(lengthOf(parts)) }
  return new Response(method === 'HEAD' ? null : Buffer.concat(parts), { headers })
}

/** Every answer to `GET /bundle` but the slice itself. */
export function withoutSlice(bundle: Exclude<OwnBundle, { kind: 'slice' }>): Response {
  switch (bundle.kind) {
    case 'unauthenticated':
      return unauthenticated()
    case 'notANode':
      return forbidden('Only nodes have a bundle of their own.')
    case 'none':
      return missing()
    case 'notYet':
      return failure(404, 'NOT_FOUND', 'No published version has this node yet: it needs a certificate first.')
    case 'known':
      return notModified(bundle.version)
  }
}

/** Answers from the metadata where that is enough; the archive is read only when it is sent. */
async function download(
  { request }: Exchange,
  bundle: ConfigBundle | null,
  archiveOf: () => Promise<{ readonly data: Uint8Array<ArrayBuffer> } | null>,
): Promise<Response> {
  if (!bundle) return missing()
  const { version, size } = bundle
  if (isKnown(request.headers.get('if-none-match'), version)) return notModified(version)
  const headers = {
    ...bundleHeaders,
    etag: etagOf(version),
    'content-type': 'application/gzip',
    'content-length': String(size),
    'content-disposition': `attachment; filename="bundle-${version}.tar.gz"`,
  }
  if (request.method === 'HEAD') return new Response(null, { headers })
  const archive = await archiveOf()
  // Null when it was deleted in the meantime.
  return archive ? new Response(archive.data, { headers }) : missing()
}

const notModified = (version: number): Response =>
  new Response(null, { status: 304, headers: { ...bundleHeaders, etag: etagOf(version) } })

const missing = (): Response => failure(404, 'NOT_FOUND', 'There is no such bundle.')

const unauthenticated = (): Response =>
  failure(401, 'UNAUTHENTICATED', 'Sign in first: a valid credential belongs in the Authorization header.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

const forbidden = (message: string): Response => failure(403, 'FORBIDDEN', message)
