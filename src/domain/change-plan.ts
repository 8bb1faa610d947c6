import { setImmediate } from 'node:timers/promises'

import { parse } from 'yaml'

import type { Scope } from '../auth/scope.ts'
import type { InTurn } from '../base/fair-queue.ts'
import type { Cluster } from '../db/types.ts'
import { actionFor, type Action, type Effective } from '../nebula/action.ts'
import { CA_FILE, CONFIG_FILE } from '../nebula/manifest.ts'
import { deepMerge, isSettings, type Settings } from '../nebula/merge.ts'
import { isVersion } from '../nebula/version.ts'
import type { CompileNode } from './bundle/compile-input.ts'
import {
  changesBetween,
  compareLines,
  fileDiffs,
  MAX_FILES,
  type FileChangeAt,
  type FileDiff,
  type Sides,
} from './bundle/file-diff.ts'
import { certified, nodeCertificatePath, nodeConfigPath } from './bundle/render.ts'
import { renderedFiles, SIGNED_ANEW, type RenderedFiles } from './plan-files.ts'
import type { Snapshot } from './snapshot.ts'

/** What a change would do to the nodes of its cluster. */
export interface ChangePlan {
  /** The cluster's row as it would be. */
  readonly cluster: Cluster
  /** The config version that it would have. */
  readonly version: number
  /** How many nodes would be given something else. */
  readonly nodeCount: number
  /** The first of them by name. */
  readonly nodes: (first: number) => Promise<NodePlan[]>
  /** How many files of the bundle would differ. */
  readonly fileCount: number
  /** The first of them by path, at most 200. */
  readonly files: (first: number) => FileDiff[]
}

/** What a change would do to one node. */
export interface NodePlan {
  readonly id: string
  readonly name: string
  /** The paths in the bundle that it has and that would differ. */
  readonly files: readonly string[]
  /** What its Nebula would need. */
  readonly action: Action
}

/** What is assumed of a node that never said what it runs: the oldest that is served, which reads the least again. */
const OLDEST_NEBULA = '1.6.1'

/** Nodes that are looked at between two turns of the event loop. */
const TURN = 10

/**
 * Compares what the nodes are given before and after a change.
 * @param means.inTurn runs what is expensive and asked for later
 * @param means.signal ends the comparison
 */
export async function planChange(
  scope: Scope,
  { before, after }: { readonly before: Snapshot; readonly after: Snapshot },
  { inTurn, signal }: { readonly inTurn: InTurn; readonly signal: AbortSignal },
): Promise<ChangePlan> {
  const old = await renderedFiles(scope.db, before, null)
  signal.throwIfAborted()
  const now = await renderedFiles(scope.db, after, before)
  signal.throwIfAborted()
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
    cluster: after.cluster,
    version: after.cluster.configVersion,
    nodeCount: affected.length,
    nodes: async (first) => {
      const nodes = affected.slice(0, first)
      const actions = await actionsOf(scope, nodes, { old, now })
      return nodes.map((node) => {
        const action = actions.get(node.id) ?? 'none'
        return { id: node.id, name: node.name, files: filesOf(node), action }
      })
    },
    fileCount: changes.length,
    files: (first) => {
      const wanted = changes.slice(0, Math.min(first, MAX_FILES))
      return fileDiffs(wanted, async () => {
        const diffs = await inTurn((signal) => compareLines(wanted, sidesIn({ old, now }), signal))
        return (path) => diffs.get(path) ?? null
      })
    },
  }
}

const isOfNode = (path: string): boolean => /^(?:nodes|certs)\//.test(path)

interface Both {
  readonly old: RenderedFiles
  readonly now: RenderedFiles
}

async function actionsOf(scope: Scope, nodes: readonly CompileNode[], both: Both): Promise<Map<string, Action>> {
  const rows = await scope.db.node.findMany({
    where: { id: { in: nodes.map(({ id }) => id) } },
    select: { id: true, nebulaVersion: true },
  })
  const versions = new Map(rows.map(({ id, nebulaVersion }) => [id, nebulaVersion]))
  const [before, after] = [effectiveOf(both.old), effectiveOf(both.now)]
  const actions = new Map<string, Action>()
  for (const [index, { id }] of nodes.entries()) {
    if (index % TURN === TURN - 1) await setImmediate()
    const [was, is] = [before(id), after(id)]
    const version = versions.get(id) ?? OLDEST_NEBULA
    // What the bundle did not have before is started.
    const action = was && is ? actionFor(was, is, isVersion(version) ? version : OLDEST_NEBULA) : 'restart'
    actions.set(id, withSigning(action, both.now.signedAnew.get(id)))
  }
  return actions
}

/** A new certificate is read again; one of another version gives the device other addresses. */
function withSigning(action: Action, signing: 'same version' | 'other version' | undefined): Action {
  if (signing === undefined) return action
  return signing === 'other version' || action === 'restart' ? 'restart' : 'reload'
}

/** What a node runs on, as its agent puts it together. */
function effectiveOf({ texts }: RenderedFiles): (nodeId: string) => Effective | null {
  const shared = settingsIn(texts.get(CONFIG_FILE))
  const ca = texts.get(CA_FILE) ?? ''
  return (nodeId) => {
    const [config, certificate] = [texts.get(nodeConfigPath(nodeId)), texts.get(nodeCertificatePath(nodeId))]
    if (config === undefined || certificate === undefined) return null
    return { config: deepMerge(shared, settingsIn(config)), ca, certificate: certificate.replace(SIGNED_ANEW, '') }
  }
}

function settingsIn(text = ''): Settings {
  const parsed: unknown = parse(text, { maxAliasCount: -1 })
  return isSettings(parsed) ? parsed : {}
}

/** What a file was and is; null for one whose content is not shown. */
const sidesIn =
  ({ old, now }: Both) =>
  ({ path }: FileChangeAt): Sides | null => {
    if (old.opaque.has(path) || now.opaque.has(path)) return null
    return { before: old.texts.get(path) ?? null, after: now.texts.get(path) ?? null }
  }
