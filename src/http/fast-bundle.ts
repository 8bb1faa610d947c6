import type { IncomingMessage } from 'node:http'

import type { FastRoute } from './fast-lane.ts'
import { bundleHeaders, etagOf, lengthOf, ownBundle, sliceHeaders, type BundleMeans } from './own-bundle.ts'
import { withoutSlice } from './bundles.ts'
import { withSecurityHeaders } from './use-security-headers.ts'

const nothing: readonly never[] = []
/** Parts of so few bytes are sent as one: that costs less than another write. */
const joined = 16 * 1024
const headOfKnown = Object.entries(bundleHeaders).flat()
const headOfSlice = withSecurityHeaders(sliceHeaders)

/** `GET /bundle`, as agents poll it. */
export const fastBundle = (means: BundleMeans): FastRoute => ({
  body: false,
  takes: ({ method, url, headers }) => method === 'GET' && url === '/bundle' && !hasBody(headers),
  async answer({ request, call }) {
    const bundle = await ownBundle(await call.session(), request.headers['if-none-match'] ?? null, means)
    switch (bundle.kind) {
      case 'known':
        return { status: 304, head: headOfKnown, own: ['etag', etagOf(bundle.version)], parts: nothing }
      case 'slice': {
        const { version, parts } = bundle
        const length = lengthOf(parts)
        const own = ['etag', etagOf(version), 'content-length', String(length)]
        return { status: 200, head: headOfSlice, own, parts: length <= joined ? [Buffer.concat(parts)] : parts }
      }
      default:
        return withoutSlice(bundle)
    }
  },
})

const hasBody = (headers: IncomingMessage['headers']): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined
