import { readBundle } from '../bundles/read/read.ts'
import { nodeCertificatePath, nodeConfigPath } from '../bundles/compile/render.ts'
import { caFile, configFile } from '../../nebula/bundle/manifest.ts'
import type { OwnFiles, SharedFiles } from '../plan/actions.ts'

/** The files of two nodes in a published bundle; null for a node that is not in it. */
export interface PublishedPair {
  readonly shared: SharedFiles
  readonly sender: OwnFiles | null
  readonly receiver: OwnFiles | null
}

/**
 * Reads the files of two nodes in a bundle's archive; null when it was not compiled.
 * @throws Error when the archive is damaged; what `signal` was aborted with
 */
export async function readPublishedPair(
  archive: Uint8Array,
  ids: { readonly sender: string; readonly receiver: string },
  signal: AbortSignal,
): Promise<PublishedPair | null> {
  const paths = new Set(
    [configFile, caFile].concat(Object.values(ids).flatMap((id) => [nodeConfigPath(id), nodeCertificatePath(id)])),
  )
  const texts = new Map<string, string>()
  for await (const { path, content } of readBundle(archive, (name) => paths.has(name), signal)) {
    texts.set(path, Buffer.from(content).toString())
  }
  const [config, ca] = [texts.get(configFile), texts.get(caFile)]
  if (config === undefined || ca === undefined) return null
  const ownFiles = (id: string): OwnFiles | null => {
    const [own, certificate] = [texts.get(nodeConfigPath(id)), texts.get(nodeCertificatePath(id))]
    return own === undefined || certificate === undefined ? null : { config: own, certificate }
  }
  return { shared: { config, ca }, sender: ownFiles(ids.sender), receiver: ownFiles(ids.receiver) }
}
