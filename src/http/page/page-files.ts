import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'

import { isMissing } from '../../base/files.ts'

/** The codings that the page's build writes beside a file, with the ending of each; the better one first. */
const codings = { br: '.br', gzip: '.gz' } as const
export type Coding = keyof typeof codings

/** A file of the page, in memory. */
export interface PageFile {
  readonly type: string
  readonly etag: string
  readonly plain: Buffer
  /** The same, compressed. */
  readonly coded: ReadonlyMap<Coding, Buffer>
}

/** The built admin page. */
export interface PageFiles {
  /** The text of index.html, in which each answer writes a nonce of its own. */
  readonly index: string
  /** All other files by their path, such as `/assets/index-Bx3k.js`. */
  readonly files: ReadonlyMap<string, PageFile>
}

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json; charset=utf-8',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
}

/**
 * Reads the page once: what is not found now is not served later, whatever a request names. Other kinds of files than
 * these, such as source maps, are left out.
 * @param folder what the page's build wrote
 * @returns null when the page was not built
 */
export async function readPageFiles(folder: string): Promise<PageFiles | null> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return []
    throw error
  })
  const paths = found.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name))
  const indexPath = join(folder, 'index.html')
  if (!paths.includes(indexPath)) return null
  const known = new Set(paths)
  const read = async (path: string): Promise<[string, PageFile]> => {
    const address = `/${relative(folder, path).split(sep).join('/')}`
    return [address, await fileAt(path, known)]
  }
  const served = paths.filter((path) => extname(path) in types)
  return { index: await readFile(indexPath, 'utf8'), files: new Map(await Promise.all(served.map(read))) }
}

async function fileAt(path: string, known: ReadonlySet<string>): Promise<PageFile> {
  const plain = await readFile(path)
  const coded = new Map<Coding, Buffer>()
  for (const coding of codingNames) {
    const beside = path + codings[coding]
    if (known.has(beside)) coded.set(coding, await readFile(beside))
  }
  const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`
  return { type: types[extname(path)] ?? 'application/octet-stream', etag, plain, coded }
}

export const codingNames: readonly Coding[] = ['br', 'gzip']
