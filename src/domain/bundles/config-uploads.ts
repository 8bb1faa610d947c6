import { isDeepStrictEqual } from 'node:util'

import * as z from 'zod'

import { readJson } from '../../base/json.ts'
import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { configFile } from '../../nebula/bundle/manifest.ts'
import type { CompiledBundle } from './compile/compile-input.ts'
import { firewallOf, type FirewallSection } from './yaml/firewall-section.ts'
import { inspectBundle, type ArchiveSource } from './inspect/inspect.ts'
import { checkOverlay, type OverlaySettings } from './yaml/overlay-settings.ts'
import { refuseFile } from './inspect/refusal.ts'
import { writtenHosts } from './compile/shared-config.ts'
import { sharedPart, type SharedPart } from './compile/shared-part.ts'
import { withPki } from '../pki/cluster-ca.ts'
import { changeCluster, updateCluster, type Change } from '../clusters/cluster-change.ts'
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

/** An empty message counts as absent. */
const rules = z.object({ message: messageRule.transform((text) => (text === '' ? undefined : text)).optional() })

/** The author of a version. */
export interface Author {
  /** The author's node id; null for people. */
  readonly nodeId: string | null
  /** Whether the caller may change the firewall by its own mutation; an upload must not bypass that. */
  readonly mayChangeFirewall: boolean
}

/** The parts that an upload changes: the shared configuration, and the firewall if its config.yml has rules. */
interface Upload extends FirewallSection {
  readonly shared: SharedPart
  readonly overlay: OverlaySettings | null
  readonly author: Author
}

/**
 * @throws ValidationError when the uploaded firewall differs from the cluster's and the author may not change it
 */
function checkAuthor(cluster: Pick<Cluster, 'firewall'>, firewall: Firewall | null, author: Author): void {
  // In the stored form: without keys that have no value.
  const isSame = isDeepStrictEqual(readJson(JSON.stringify(firewall)), cluster.firewall)
  if (firewall === null || author.mayChangeFirewall || isSame) return
  throw refuseFile(
    configFile,
    'firewall: differs from the cluster’s, which you may not change: leave the section out, or ask an admin',
  )
}

/** How often a bundle is compiled without a lock before it is compiled under the lock. */
const tries = 3

/**
 * CreateBundle: publishes an uploaded archive as the cluster's next version. Its config.yml and further files become
 * the shared configuration, its firewall becomes the cluster's, and the nodes' bundle is compiled from them
 * immediately. The upload is inspected and compiled without a lock; version, configuration and bundle commit together.
 * @param author its node's id is stored with the bundle until the node is deleted
 * @throws ValidationError and LimitError with file and reason, NotFoundError, ConflictError as changeCluster
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
  // Checked again under the cluster's lock; checked here to save the work.
  assertExpected(scope, present)
  const { data, firewall, overlay } = await inspectBundle(present.tenantId, archive)
  const shared = await sharedPart(data)
  const upload = { shared, ...firewall, overlay, author }
  const summary = fields.message ?? 'uploaded'
  const dependencies = { scope, vault }
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const early = await compiledAhead(dependencies, clusterId, upload)
    const stored = early && (await storeAhead(scope, clusterId, { ...early, upload, summary }))
    if (stored) return stored
  }
  // The cluster keeps changing: compile while holding its lock.
  const stored = await changeCluster(scope, clusterId, summary, async (change) => {
    const bundle = await compiledInside(vault, change, upload)
    return store(change, { upload, bundle, summary: `${summary} (${scope.actor})` })
  })
  scope.changes.emit({ kind: 'published', clusterId, version: stored.version })
  return stored
}

/** The cluster changed while its bundle was compiled. */
class Moved extends Error {}

/** Stores a bundle that was compiled for the next version; null when another change has taken that version. */
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

/**
 * The cluster with the upload applied. @throws ValidationError when the author may not make this change, or it does not
 * fit
 */
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

/** Compiles for the next version; null when nodes received other certificates in the meantime. */
async function compiledAhead(
  { scope, vault }: { scope: Scope; vault: Vault },
  clusterId: string,
  upload: Upload,
): Promise<{ version: number; bundle: CompiledBundle } | null> {
  const snapshot = await readSnapshot(scope.db, clusterId)
  if (!snapshot) throw new NotFoundError('Cluster')
  const { cluster } = snapshot
  // A cluster from before clusters had keys receives them from the publisher, or under the lock.
  if (cluster.pkiCaKey === null || cluster.bundleSigningKey === null) return null
  const version = cluster.configVersion + 1
  const next = { ...snapshot, cluster: { ...cluster, configVersion: version } }
  const bundle = await compileSnapshot(vault, withUpload(next, upload), upload.shared)
  return (await keepResigned(scope.db, bundle.resigned)) ? { version, bundle } : null
}

/** Compiles while holding the cluster's lock, so that nothing can change. */
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
    unpublishedSince: null,
    ...(firewall === null ? {} : { firewall: { ...firewall } }),
  })
  return tx.configBundle.create({
    data: { version, tenantId, clusterId, data, sha256, size, createdById: author.nodeId, message },
    select: bundleMetadata,
  })
}

/**
 * Puts the shared configuration of an old version back into force, with that version's firewall. This makes a new
 * version, which the publisher compiles with the current nodes, certificates and revocations.
 * @throws NotFoundError when the cluster is not in the scope or has no such version; ValidationError when the version
 * had another firewall and this author may not change it; ConflictError while nodes run a Nebula that would let in more
 * than that firewall allows
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
  return updateCluster(scope, clusterId, `rolled back to version ${version}`, async (change) => {
    const { tx, cluster } = change
    // The version may have been deleted while it was read.
    const where = { tenantId_clusterId_version: { tenantId: cluster.tenantId, clusterId, version } }
    if (!(await tx.configBundle.findUnique({ where, select: { version: true } })))
      throw new NotFoundError('ConfigBundle')
    checkAuthor(cluster, firewall, author)
    await assertAllRun(change, minimumNebulaVersion, firewallNeeds)
    return changed
  })
}
