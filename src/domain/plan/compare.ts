import { caFile, configFile } from '../../nebula/bundle/manifest.ts'
import type { CompileNode } from '../bundles/compile/compile-input.ts'
import { changesBetween, maxDiffedFiles, type FileChangeAt, type Sides } from '../bundles/read/file-diff.ts'
import { certified, nodeCertificatePath, nodeConfigPath } from '../bundles/compile/render.ts'
import type { OwnFiles, SharedFiles, SharedSides } from './actions.ts'
import { renderedFiles, type PlanState, type RenderedFiles, type Signing } from './files.ts'

/** The maximum number of nodes that a plan shows. */
const maxNodes = 500

/** The differences between the bundles of two states. */
export interface Comparison {
  readonly changes: readonly FileChangeAt[]
  /** The number of nodes that receive different files. */
  readonly nodeCount: number
  /** The first nodes by name. */
  readonly nodes: readonly AffectedNode[]
  /** The old and new content of the first maxDiffedFiles changed files, without files whose content is not shown. */
  readonly texts: ReadonlyMap<string, Sides>
  readonly shared: SharedSides
}

export interface AffectedNode {
  readonly id: string
  readonly name: string
  /** The paths in the bundle of the node's files that differ. */
  readonly files: readonly string[]
  readonly before: OwnFiles | null
  readonly after: OwnFiles | null
  /** Null if the node keeps its certificate. */
  readonly signing: Signing | null
}

/**
 * Renders both states and compares them. Ten thousand nodes take a second: call it through `planThread`.
 * @throws LimitError when the bundle would be too large
 */
export function compareStates(before: PlanState, after: PlanState): Comparison {
  const [old, now] = [renderedFiles(before, null), renderedFiles(after, before)]
  const changes = changesBetween(old.texts, now.texts)
  const shared = changes.filter(({ path }) => !isOfNode(path)).map(({ path }) => path)
  const changed = new Set(changes.map(({ path }) => path))
  const filesOf = ({ id }: CompileNode) => [
    ...shared,
    ...[nodeCertificatePath(id), nodeConfigPath(id)].filter((path) => changed.has(path)),
  ]
  const affected = certified(after.nodes)
    .filter((node) => filesOf(node).length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
  return {
    changes,
    nodeCount: affected.length,
    nodes: affected.slice(0, maxNodes).map((node) => ({
      id: node.id,
      name: node.name,
      files: filesOf(node),
      before: ownFiles(old, node.id),
      after: ownFiles(now, node.id),
      signing: now.signedAnew.get(node.id) ?? null,
    })),
    texts: textsOf(changes.slice(0, maxDiffedFiles), { old, now }),
    shared: { before: sharedFiles(old), after: sharedFiles(now) },
  }
}

const isOfNode = (path: string): boolean => /^(?:nodes|certs)\//.test(path)

function textsOf(changes: readonly FileChangeAt[], { old, now }: Record<'old' | 'now', RenderedFiles>) {
  const shown = changes.filter(({ path }) => !old.opaque.has(path) && !now.opaque.has(path))
  return new Map(
    shown.map(({ path }) => [path, { before: old.texts.get(path) ?? null, after: now.texts.get(path) ?? null }]),
  )
}

function ownFiles({ texts }: RenderedFiles, id: string): OwnFiles | null {
  const [config, certificate] = [texts.get(nodeConfigPath(id)), texts.get(nodeCertificatePath(id))]
  return config === undefined || certificate === undefined ? null : { config, certificate }
}

const sharedFiles = ({ texts }: RenderedFiles): SharedFiles => ({
  config: texts.get(configFile) ?? '',
  ca: texts.get(caFile) ?? '',
})
