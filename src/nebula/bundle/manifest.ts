import * as z from 'zod'

import { canonicalJson } from './canonical-json.ts'
import { jsonOf } from '../../base/json.ts'
import { greatestInteger } from '../../base/texts/text.ts'
import { sliceBounds } from './slice-bounds.ts'

/** The names of the files that a bundle and a slice add themselves. */
export const manifestFile = 'manifest.json'
export const signatureFile = 'manifest.sig'
export const caFile = 'ca.crt'
export const configFile = 'config.yml'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in 64 hex digits')
/** A whole number up to a bound. */
const upTo = (most: number) =>
  z.int('must be a whole number').min(0, 'must not be negative').max(most, `must be at most ${most}`)
/** A version number as the database holds it: PostgreSQL's integer. */
const version = z.int('must be a whole number').min(1, 'must be at least 1').max(greatestInteger, 'must be below 2³¹')

const pathRule = z.string().refine(isPlainPath, 'must be a path below the bundle, with / and without . and .. segments')

/** A name must not lead the program that writes the file elsewhere. The names of uploaded files have stricter rules. */
function isPlainPath(path: string): boolean {
  if (Buffer.byteLength(path) > 255 || /[\\\p{Cc}]/u.test(path) || /^[a-z]:/i.test(path)) return false
  return path.split('/').every((segment) => !['', '.', '..'].includes(segment))
}

const manifestText = jsonOf(
  z.strictObject({
    format: z.literal(1, 'must be 1, the only format there is'),
    version,
    cluster: z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a UUID'),
    createdAt: z.string().refine(isTime, 'must be a time in UTC such as 2026-01-31T12:00:00.000Z'),
    minimumNebulaVersion: z.string().regex(/^\d{1,4}\.\d{1,4}\.\d{1,4}$/, 'must be a version such as 1.6.0'),
    files: z
      .record(pathRule, z.strictObject({ sha256, size: upTo(sliceBounds.unpacked) }))
      .refine((files) => Object.keys(files).length <= sliceBounds.files, `must be at most ${sliceBounds.files}`),
    nodes: z.strictObject({ count: upTo(sliceBounds.nodes), root: sha256 }),
  }),
)
function isTime(text: string): boolean {
  const time = new Date(text)
  return !Number.isNaN(time.getTime()) && time.toISOString() === text
}

/**
 * What a version of a cluster's bundle consists of. Every node gets `files`. Each node's own two files are leaves of
 * the Merkle tree of `nodes.root` (`nodeLeaf`), so that a node can check its slice without the files of other nodes.
 */
export type BundleManifest = Readonly<z.infer<typeof manifestText>>

/** A text that is not a manifest; the message names the field and its rule. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError'
}

/** The manifest's bytes: canonical JSON, so that one manifest has one signature. */
export const writeManifest = (manifest: BundleManifest): string => canonicalJson(manifest)

/**
 * Reads a manifest. Check its signature first.
 * @throws ManifestError for a text that `writeManifest` would not write, unknown fields included
 */
export function readManifest(text: string): BundleManifest {
  const { success, data, error } = manifestText.safeParse(text)
  if (!success) {
    const [issue] = error.issues
    const rule = issue?.code === 'invalid_key' ? issue.issues[0]?.message : issue?.message
    const field = issue === undefined || issue.path.length === 0 ? 'the manifest' : issue.path.join('.')
    throw new ManifestError(`${field}: ${rule ?? 'is not valid'}`)
  }
  // A duplicate key, spaces, another order: other readers could understand them differently.
  if (writeManifest(data) !== text) throw new ManifestError('the manifest: is not canonical JSON')
  return data
}
