import type { Logger } from '../../base/log.ts'
import type { Operator } from '../../auth/scope.ts'
import type { Db, Tx } from '../../db/client/types.ts'
import { bySystem } from '../audit/recorded.ts'
import type { CompiledBundle } from '../bundles/compile/compile-input.ts'
import { sharedPart, type SharedPart } from '../bundles/compile/shared-part.ts'
import { withPki } from '../pki/cluster-ca.ts'
import { withoutPublished } from '../clusters/pending-changes.ts'
import { compileSnapshot } from './publish-compile.ts'
import { readSnapshot, type Snapshot } from './snapshot.ts'
import type { Vault } from '../pki/vault.ts'

interface Dependencies {
  readonly scope: Operator
  readonly vault: Vault
  readonly log: Pick<Logger, 'warn'>
}

/** After this many tries, a cluster that changes faster than it is compiled waits for the next round. */
const tries = 5

/**
 * Compiles and stores the bundle of a cluster's current configuration, unless it exists. When several instances do so
 * at the same time, only one of them stores it.
 * @returns the version, or null when there was nothing to publish
 */
export async function publishCluster({ scope, vault, log }: Dependencies, clusterId: string): Promise<number | null> {
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const readAt = new Date()
    const snapshot = await readSnapshot(scope.db, clusterId)
    if (snapshot === null) return null
    const { cluster } = snapshot
    if (cluster.configVersion <= cluster.publishedConfigVersion) return null
    if (await keysMade(bySystem(scope, 'cluster.keys.create').db, vault, snapshot)) continue
    const shared = await sharedInForce(scope.db, snapshot)
    const bundle = await compileSnapshot(vault, snapshot, shared)
    for (const problem of bundle.problems) log.warn({ clusterId, ...problem }, 'a certificate cannot be signed again')
    // Certificates are stored before the bundle, since one that is in no row could not be revoked. If one was replaced
    // in the meantime, the bundle differs from the row and is compiled again.
    if (!(await scope.certificates.replace(bundle.resigned))) continue
    if (!(await store(bySystem(scope, 'cluster.publish').db, snapshot, { bundle, readAt }))) return null
    scope.changes.emit({ kind: 'published', clusterId, version: cluster.configVersion })
    return cluster.configVersion
  }
  return null
}

/** The shared configuration that the cluster's row names; null for Orrery's own. */
export async function sharedInForce(
  db: Pick<Tx, 'configBundle'>,
  { cluster: { tenantId, id, sharedConfigVersion } }: Snapshot,
): Promise<SharedPart | null> {
  if (sharedConfigVersion === null) return null
  const bundle = await db.configBundle.findUnique({
    where: { tenantId_clusterId_version: { tenantId, clusterId: id, version: sharedConfigVersion } },
    select: { data: true },
  })
  // deleteConfigBundle keeps this version.
  if (!bundle) throw new Error(`cluster ${id} has no version ${sharedConfigVersion}, whose configuration is in force`)
  return sharedPart(bundle.data)
}

/** Gives a cluster from before clusters had keys its keys; returns whether they were missing. */
async function keysMade(db: Db, vault: Vault, { cluster: { id, ...keys } }: Snapshot): Promise<boolean> {
  if (keys.pkiCaCert !== null && keys.pkiCaKey !== null && keys.bundleSigningKey !== null) return false
  await db.$transaction(async (tx) => {
    const data = { configVersion: { increment: 0 } }
    const [cluster] = await tx.cluster.updateManyAndReturn({ where: { id }, data })
    if (!cluster) return
    const made: Parameters<Tx['cluster']['updateMany']>[0]['data'] = {}
    withPki(vault, { tx, cluster, set: (columns) => Object.assign(made, columns) })
    await tx.cluster.updateMany({ where: { id }, data: made })
  })
  return true
}

interface Compiled {
  readonly bundle: CompiledBundle
  /** When the reading of its snapshot began. */
  readonly readAt: Date
}

/** Stores a compiled bundle; false when another instance was faster or a newer version exists already. */
async function store(db: Db, { cluster }: Snapshot, { bundle, readAt }: Compiled): Promise<boolean> {
  const { id, tenantId, configVersion: version } = cluster
  return db.$transaction(async (tx) => {
    // Locks the row; only one instance succeeds for this version.
    const [now] = await tx.cluster.updateManyAndReturn({
      where: { id, publishedConfigVersion: { lt: version } },
      data: { publishedConfigVersion: version },
    })
    if (!now) return false
    const isSameShared = cluster.sharedConfigVersion !== null && now.sharedConfigVersion === cluster.sharedConfigVersion
    const pendingChanges = withoutPublished(now.pendingChanges, cluster.pendingChanges)
    // What waits now was changed after the reading.
    const unpublishedSince = now.configVersion > version ? readAt : null
    await tx.cluster.update({
      where: { id },
      // The newest bundle always contains the configuration in force, so older ones can be deleted.
      data: { pendingChanges, unpublishedSince, ...(isSameShared ? { sharedConfigVersion: version } : {}) },
    })
    const { data, sha256, size } = bundle
    const message = cluster.pendingChanges
    await tx.configBundle.create({ data: { version, tenantId, clusterId: id, data, sha256, size, message } })
    return true
  })
}
