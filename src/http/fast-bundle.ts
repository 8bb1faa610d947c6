import { sliceHeaders, withoutSlice } from './bundles.ts'
import type { FastRoute } from './fast-lane.ts'
import { ownBundle, validators, type BundleMeans } from './own-bundle.ts'

const nothing: readonly never[] = []

/** `GET /bundle`, as agents poll it. */
export const fastBundle = (means: BundleMeans): FastRoute => ({
  body: false,
  takes: ({ method, url }) => method === 'GET' && url === '/bundle',
  async answer({ request, call }) {
    const bundle = await ownBundle(await call.session(), request.headers['if-none-match'] ?? null, means)
    switch (bundle.kind) {
      case 'known':
        return { status: 304, headers: validators(bundle.version), parts: nothing }
      case 'slice':
        return { status: 200, headers: sliceHeaders(bundle), parts: bundle.parts }
      default:
        return withoutSlice(bundle)
    }
  },
})
