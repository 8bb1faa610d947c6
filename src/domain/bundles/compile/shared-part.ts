import { configFile } from '../../../nebula/bundle/manifest.ts'
import type { TarFile } from '../../../nebula/bundle/tar.ts'
import { foldedName } from '../inspect/names.ts'
import { readBundle } from '../read/read.ts'

/** The configuration that a cluster's nodes share, apart from the settings that Orrery stores as rows. */
export interface SharedPart {
  /** null for Orrery's own. */
  readonly 'config.yml': string | null
  /** The other files of the upload, by path. */
  readonly further: readonly TarFile[]
}

/** The files and folders that Orrery itself writes at the root of a bundle or a slice. */
const ownPaths = /^(?:manifest\..*|ca\.crt|nodes|certs|node\.yml|node\.crt|proof\.json)$/

/**
 * Takes the shared configuration out of an archive: a stored bundle, or an upload that was inspected. It leaves out the
 * files that Orrery writes anew for each version.
 * @throws Error when the archive is damaged
 */
export async function sharedPart(archive: Uint8Array): Promise<SharedPart & { readonly 'config.yml': string }> {
  let config = ''
  const further: TarFile[] = []
  for await (const { path, content } of readBundle(archive, (name) => !ownPaths.test(foldedName(firstSegment(name))))) {
    if (path === configFile) config = Buffer.from(content).toString()
    else further.push({ path, content: Uint8Array.from(content) })
  }
  return { 'config.yml': config, further: further.sort((a, b) => (a.path < b.path ? -1 : 1)) }
}

const firstSegment = (path: string): string => path.split('/', 1)[0] ?? path
