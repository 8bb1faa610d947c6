import { isDeepStrictEqual } from 'node:util'

import * as z from 'zod'

import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { CONFIG_FILE } from '../../nebula/bundle/manifest.ts'
import type { CompiledBundle } from './compile/compile-input.ts'
import { firewallOf, type FirewallSection } from './yaml/firewall-section.ts'
import { inspectBundle, type ArchiveSource } from './inspect/inspect.ts'
import { checkOverlay, type OverlaySettings } from './yaml/overlay-settings.ts'
import { refuseFile } from './inspect/refusal.ts'
import { writtenHosts } from './compile/shared-config.ts'
import { sharedPart, type SharedPart } from './compile/shared-part.ts'
import { withPki } from '../pki/cluster-ca.ts'
import { changeCluster, type Change } from '../clusters/cluster-change.ts'
import { getCluster } from '../clusters/clusters.ts'
import { bundleMetadata, getConfigBundleArchive, type ConfigBundle } from './config-bundles.ts'
import { assertExpected } from '../clusters/expected-version.ts'
import type { Firewall } from '../clusters/firewall.ts'
import { assertAllRun, firewallNeeds } from '../clusters/nebula-versions.ts'
import { withPending } from '../clusters/pending-changes.ts'
import { compileSnapshot } from '../publishing/publish-compile.ts'
import { keepResigned, writeResigned } from '../signing/resigned.ts'
import { check, messageRule } from '../shared/rules.ts'
import { readOnce, readSnapshot, type Snapshot } from '../publishing/snapshot.ts'
import type { Vault } from '../pki/vault.ts'

export interface NewConfigBundle {
  readonly clusterId: string
  /** tar.gz, at most 10 MiB. */
  readonly archive: ArchiveSource
  readonly message?: string | undefined
}

/** An empty message says as much as none. */
const rules = z.object({ message: messageRule.transform((text) => (text === '' ? undefined : text)).optional() })

/** Who makes a version of somebody's files. */
export interface Author {
  /** The node that it is; null for people. */
  readonly nodeId: string | null
  /** Whether the caller may change the firewall by its own mutation; files are no way round that. */
  readonly mayChangeFirewall: boolean
}

/** What an upload changes: the shared configuration, and the firewall where its config.yml has rules. */
interface Upload extends FirewallSection {
  readonly shared: SharedPart
  readonly overlay: OverlaySettings | null
  readonly author: Author
}

/**
 * @throws ValidationError where the firewall of files is another one than the cluster's and their author may not change it
 */
function checkAuthor(cluster: Pick<Cluster, 'firewall'>, firewall: Firewall | null, author: Author): void {
  // As they are stored: without keys that have no value.
  const isSame = isDeepStrictEqual(JSON.parse(JSON.stringify(firewall)), cluster.firewall)
  if (firewall === null || author.mayChangeFirewall || isSame) return
  throw refuseFile(
    CONFIG_FILE,
    'firewall: differs from the cluster’s, which you may not change: leave the section out, or ask an admin',
  )
}

/** Times that a bundle is compiled while nothing is locked. */
const tries = 3

/**
 * CreateBundle: publishes an uploaded archive as the cluster's next version: its config.yml and further files become
 * the shared configuration, its firewall the cluster's, and what nodes get is compiled from them at once. Inspected and
 * compiled while nothing is locked; version, configuration and bundle commit together.
 * @param author whose node's id is kept with the bundle, until the node is deleted
 * @throws ValidationError and LimitError that name file and reason, NotFoundError, ConflictError as changeCluster
 */
export async function createConfigBundle(
  { scope, vault }: { scope: Scope; vault: Vault },
  author: Author,
  { clusterId, archive, message }: NewConfigBundle,
): Promise<ConfigBundle> {
  const fields = check(rules, { message })
  const present = await scope.db.cluster.findUnique({
    where: { id: clusterId },
    select: { id: true, tenantId: true, configVersion: true },
  })
  if (!present) throw new NotFoundError('Cluster')
  // Asked again behind the cluster's lock; here before all the work.
  assertExpected(scope, present)
  const { data, firewall, overlay } = await inspectBundle(present.tenantId, archive)
  const shared = await sharedPart(data)
  const upload = { shared, ...firewall, overlay, author }
  const summary = fields.message ?? 'uploaded'
  const means = { scope, vault }
  for (let turn = 0; turn < tries; turn += 1) {
    const early = await compiledAhead(means, clusterId, upload)
    const stored = early && (await storeAhead(scope, clusterId, { ...early, upload, summary }))
    if (stored) return stored
  }
  // It changes all the time: compiled with the cluster's lock in hand.
  const stored = await changeCluster(scope, clusterId, summary, async (change) => {
    const bundle = await compiledInside(vault, change, upload)
    return store(change, { upload, bundle, summary: `${summary} (${scope.actor})` })
  })
  scope.changes.emit({ kind: 'published', clusterId, version: stored.version })
  return stored
}

/** The cluster changed while its bundle was compiled. */
class Moved extends Error {}

/** Stores a bundle that was compiled for the next version; null when that has gone to another change. */
async function storeAhead(
  scope: Scope,
  clusterId: string,
  { version, summary, ...rest }: Stored & { readonly version: number },
): Promise<ConfigBundle | null> {
  try {
    const stored = await changeCluster(scope, clusterId, summary, (change) => {
      if (change.cluster.configVersion !== version) throw new Moved()
      return store(change, { ...rest, summary: `${summary} (${scope.actor})` })
    })
    scope.changes.emit({ kind: 'published', clusterId, version })
    return stored
  } catch (error) {
    if (error instanceof Moved) return null
    throw error
  }
}

/** The cluster as it will be with the upload. @throws ValidationError when the author may not change it so, or it cannot be */
function withUpload({ cluster, nodes }: Snapshot, { shared, rules: firewall, overlay, author }: Upload): Snapshot {
  checkAuthor(cluster, firewall, author)
  if (overlay !== null) {
    const own = nodes.filter(({ isLighthouse, lighthousePublicIp: ip }) => isLighthouse && ip !== null)
    checkOverlay(overlay, {
      networkCidr: cluster.networkCidr,
      ownLighthouses: new Set(own.map(({ overlayIp }) => overlayIp)),
      written: writtenHosts(shared['config.yml'] ?? ''),
    })
  }
  if (firewall === null) return { cluster, nodes }
  return { cluster: { ...cluster, firewall: { ...firewall } as unknown as Cluster['firewall'] }, nodes }
}

/** Compiles for the version behind the present one; null when nodes were given other certificates meanwhile. */
async function compiledAhead(
  { scope, vault }: { scope: Scope; vault: Vault },
  clusterId: string,
  upload: Upload,
): Promise<{ version: number; bundle: CompiledBundle } | null> {
  const snapshot = await readSnapshot(scope.db, clusterId)
  if (!snapshot) throw new NotFoundError('Cluster')
  const { cluster } = snapshot
  // One made before clusters had keys is given them by the publisher, or under the lock.
  if (cluster.pkiCaKey === null || cluster.bundleSigningKey === null) return null
  const version = cluster.configVersion + 1
  const next = { ...snapshot, cluster: { ...cluster, configVersion: version } }
  const bundle = await compileSnapshot(vault, withUpload(next, upload), upload.shared)
  return (await keepResigned(scope.db, bundle.resigned)) ? { version, bundle } : null
}

/** Compiles under the cluster's lock, where nothing can change. */
async function compiledInside(vault: Vault, change: Change, upload: Upload): Promise<CompiledBundle> {
  const { tx, cluster } = withPki(vault, change)
  const snapshot = await readOnce(tx, cluster.id)
  if (!snapshot) throw new NotFoundError('Cluster')
  const bundle = await compileSnapshot(vault, withUpload({ cluster, nodes: snapshot.nodes }, upload), upload.shared)
  if (await writeResigned(tx, bundle.resigned)) return bundle
  throw new Error(`certificates of cluster ${cluster.id} changed while it was locked`)
}

interface Stored {
  readonly upload: Upload
  readonly bundle: CompiledBundle
  readonly summary: string
}

async function store(
  change: Change,
  { upload: { rules: firewall, minimumNebulaVersion, author }, bundle: { data, sha256, size }, summary }: Stored,
): Promise<ConfigBundle> {
  await assertAllRun(change, minimumNebulaVersion, firewallNeeds)
  const { tx, cluster, set } = change
  const { id: clusterId, tenantId, configVersion: version } = cluster
  const message = withPending(cluster.pendingChanges, summary)
  set({
    publishedConfigVersion: version,
    sharedConfigVersion: version,
    pendingChanges: null,
    ...(firewall === null ? {} : { firewall: { ...firewall } }),
  })
  return tx.configBundle.create({
    data: { version, tenantId, clusterId, data, sha256, size, createdById: author.nodeId, message },
    select: bundleMetadata,
  })
}

/**
 * Takes the shared configuration of an old version back into force, with the firewall it had: as a new version, which
 * the publisher compiles with the nodes, certificates and revocations of today.
 * @throws NotFoundError when the cluster is not in the scope or has no such version; ValidationError when the firewall was
 * another one then, which this author may not change; ConflictError while nodes run a Nebula that would let more in than
 * it says
 */
export async function rollbackClusterConfig(
  scope: Scope,
  author: Author,
  { clusterId, version }: { readonly clusterId: string; readonly version: number },
): Promise<Cluster> {
  const archive = await getConfigBundleArchive(scope, clusterId, version)
  if (!archive) throw new NotFoundError('ConfigBundle')
  const { 'config.yml': config } = await sharedPart(archive.data)
  const { rules: firewall, minimumNebulaVersion } = await firewallOf(archive.tenantId, config)
  const changed = { sharedConfigVersion: version, ...(firewall === null ? {} : { firewall: { ...firewall } }) }
  await changeCluster(scope, clusterId, `rolled back to version ${version}`, async (change) => {
    const { tx, cluster, set } = change
    // It may have been deleted while it was read.
    const where = { tenantId_clusterId_version: { tenantId: cluster.tenantId, clusterId, version } }
    if (!(await tx.configBundle.findUnique({ where, select: { version: true } })))
      throw new NotFoundError('ConfigBundle')
    checkAuthor(cluster, firewall, author)
    await assertAllRun(change, minimumNebulaVersion, firewallNeeds)
    set(changed)
  })
  return clusterOf(scope, clusterId)
}

async function clusterOf(scope: Scope, id: string): Promise<Cluster> {
  const cluster = await getCluster(scope, id)
  if (!cluster) throw new NotFoundError('Cluster')
  return cluster
}
