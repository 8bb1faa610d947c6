import { actorOf } from '../../auth/actor.ts'
import { budgetOf, type SignedIn } from '../../auth/session.ts'
import type { FairQueue } from '../../base/limits/fair-queue.ts'
import { isId } from '../../base/ids.ts'
import { recordDone } from '../../domain/audit/recorded.ts'
import { getConfigBundle, getConfigBundleArchive, type ConfigBundle } from '../../domain/bundles/config-bundles.ts'
import { blockedNodeWords, bundleReachOf, isSignedIn } from '../../graphql/kit/access.ts'
import { empty, failure, type Answer } from '../pipeline/answer.ts'
import type { Call } from '../pipeline/call.ts'
import { etagOf, isKnown, ownBundle, type BundleDependencies, type OwnBundle } from './own-bundle.ts'
import type { Route } from '../pipeline/router.ts'

/**
 * Downloads of bundles. `GET /bundle` returns a node's own slice of the newest bundle, with the version as its ETag, so
 * that a poll without news gets a 304. `GET /clusters/<id>/bundles/<version>` returns the whole archive of any version,
 * to operators, people of the tenant, and admin nodes.
 */
export const bundleRoutes = (
  dependencies: BundleDependencies & { readonly expensive: FairQueue },
): readonly Route[] => [
  {
    path: '/bundle',
    methods: {
      GET: async (call) =>
        sliceAnswer(await ownBundle(await call.session(), call.header('if-none-match'), dependencies)),
    },
  },
  {
    path: /^\/clusters\/(?<clusterId>[^/]+)\/bundles\/(?<version>[1-9]\d{0,8})$/,
    methods: {
      GET: async (call, { clusterId = '', version = '' }) => {
        const session = await call.session()
        if (!isSignedIn(session)) return unauthenticated()
        if (bundleReachOf(session) !== 'all') return forbidden('You may not download whole archives.')
        const id = clusterId.toLowerCase()
        const bundle = isId(id) ? await getConfigBundle(session.scope, id, Number(version)) : null
        return download(call, bundle, async () => {
          const archive = await dependencies.expensive.run(budgetOf(session), call.left, () =>
            getConfigBundleArchive(session.scope, id, Number(version)),
          )
          if (archive) await recordDownload(call, session, { ...archive, clusterId: id, version: Number(version) })
          return archive
        })
      },
    },
  },
]

/** Records who gets an archive, before the first byte of it is sent. */
async function recordDownload(
  { id: requestId, caller: { address } }: Call,
  session: SignedIn,
  { tenantId, clusterId, version }: Pick<ConfigBundle, 'tenantId' | 'clusterId' | 'version'>,
): Promise<void> {
  const intent = { action: 'cluster.bundle.download', actor: actorOf(session), tenantId, requestId, address }
  const targets = [{ type: 'ConfigBundle', id: `${clusterId}/${version}` }]
  await recordDone(session.scope, intent, { targets, clusterId, version })
}

/** The headers of every answer about a version. */
const headersOf = (version: number) => ({
  // Only the client may cache it, and must revalidate each time: the credential may have ended.
  'cache-control': 'private, no-cache',
  vary: 'authorization',
  etag: etagOf(version),
})

function sliceAnswer(bundle: OwnBundle): Answer {
  switch (bundle.kind) {
    case 'known':
      return empty(304, headersOf(bundle.version))
    case 'slice': {
      const headers = { ...headersOf(bundle.version), 'content-type': 'application/gzip' }
      return { status: 200, headers, parts: bundle.parts }
    }
    case 'unauthenticated':
      return unauthenticated()
    case 'blocked':
      return forbidden(blockedNodeWords)
    case 'notANode':
      return forbidden('Only nodes have a bundle of their own.')
    case 'none':
      return missing()
    case 'notYet':
      return failure(404, 'NOT_FOUND', 'No published version has this node yet: it needs a certificate first.')
  }
}

/** Answers from the metadata if that is enough; the archive is read only to be sent. */
async function download(
  call: Call,
  bundle: ConfigBundle | null,
  archiveOf: () => Promise<{ readonly data: Uint8Array<ArrayBuffer> } | null>,
): Promise<Answer> {
  if (!bundle) return missing()
  const { version, size } = bundle
  if (isKnown(call.header('if-none-match'), version)) return empty(304, headersOf(version))
  const headers = {
    ...headersOf(version),
    'content-type': 'application/gzip',
    'content-length': String(size),
    'content-disposition': `attachment; filename="bundle-${version}.tar.gz"`,
  }
  if (call.method === 'HEAD') return empty(200, headers)
  const archive = await archiveOf()
  // Null when it was deleted in the meantime.
  return archive ? { status: 200, headers, parts: [archive.data] } : missing()
}

const missing = (): Answer => failure(404, 'NOT_FOUND', 'There is no such bundle.')

const unauthenticated = (): Answer =>
  failure(401, 'UNAUTHENTICATED', 'Sign in first: a valid credential belongs in the Authorization header.', {
    headers: { 'www-authenticate': 'Bearer' },
  })

const forbidden = (message: string): Answer => failure(403, 'FORBIDDEN', message)
