import { compressedChunks, gunzip } from '../inspect/gunzip.ts'
import { normalisePath } from '../inspect/names.ts'
import { TarReader } from '../inspect/tar-reader.ts'

/** A file with its content. */
export interface BundleContent {
  readonly path: string
  readonly content: Uint8Array
}

/**
 * The files of a stored bundle, in the archive's order, one in memory at a time.
 * A bundle was inspected or packed before it was stored: an unreadable one is a fault, not a caller's mistake.
 *
 * @param wanted which files to read; other files are skipped
 * @param signal ends the reading
 * @throws Error when the archive is damaged; the signal's abort reason
 */
export async function* readBundle(
  data: Uint8Array,
  wanted: (path: string) => boolean = () => true,
  signal: AbortSignal | null = null,
): AsyncGenerator<BundleContent, void> {
  const reader = new TarReader()
  let open: { readonly path: string; readonly parts: Buffer[] } | null = null
  try {
    for await (const chunk of gunzip(compressedChunks(data, () => undefined))) {
      signal?.throwIfAborted()
      for (const event of reader.push(chunk)) {
        if (event.kind === 'entry') {
          const path = normalisePath(event.name)
          open = event.type === 'file' && wanted(path) ? { path, parts: [] } : null
        } else if (open !== null) {
          if (event.kind === 'data') open.parts.push(event.bytes)
          else yield { path: open.path, content: Buffer.concat(open.parts) }
        }
      }
    }
    reader.end()
  } catch (error) {
    signal?.throwIfAborted()
    throw new Error('a stored bundle cannot be read', { cause: error })
  }
}
