import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { Cluster, Prisma } from '../../db/client/types.ts'
import { parseCaCertificate } from '../../pki/certificate.ts'
import { areKeysOpen, ClosedKeysError } from './closed-keys.ts'
import { bundleKeyThatOpens, caDetails, newCa, withPki, type CaColumns } from './cluster-ca.ts'
import { bySystem } from '../audit/recorded.ts'
import { repairCluster, updateCluster, type Change } from '../clusters/cluster-change.ts'
import { waitsForNobody } from './ca-rotation-progress.ts'
import { type IdPage, idPages } from '../shared/id-pages.ts'
import { caLifetimeRule, check } from '../shared/rules.ts'
import type { Vault } from './vault.ts'

/**
 * Replaces a cluster's CA without disconnecting its nodes: first all nodes trust both CAs, then all receive
 * certificates of the new one, then all drop the old one. Each phase is a version of the configuration.
 */
export const caRotationPhases = ['TRUST_BOTH', 'SIGN_AGAIN', 'DROP_OLD'] as const
export type CaRotationPhase = (typeof caRotationPhases)[number]

/** The phase of a cluster's rotation; null while no rotation runs. The database allows only these values. */
export const phaseOf = ({ caRotationPhase }: Pick<Cluster, 'caRotationPhase'>): CaRotationPhase | null =>
  caRotationPhase as CaRotationPhase | null

/**
 * The certificate of the CA that a rotation leads to, PEM; after an abort in SIGN_AGAIN, that is the old one.
 * `pkiCaCert` signs in every phase.
 */
export const rotatesTo = (cluster: Pick<Cluster, 'caRotationPhase' | 'pkiCaCert' | 'pkiOtherCaCert'>): string | null =>
  phaseOf(cluster) === 'TRUST_BOTH' ? cluster.pkiOtherCaCert : cluster.pkiCaCert

/** Refuses a change that must wait for the end of a rotation. @throws ConflictError */
export function assertNotRotating(cluster: Pick<Cluster, 'caRotationPhase'>): void {
  if (phaseOf(cluster) === null) return
  throw new ConflictError('The cluster’s CA is being rotated: wait for the end, or abort it')
}

/** Rotating clusters that are read at once. */
const chunk = 100

const rules = z.object({ caLifetimeDays: caLifetimeRule.default(3650) })

/**
 * Begins to replace the cluster's CA with a new one: from the next version on, nodes trust both. `advanceCaRotation`
 * takes the further steps. If the CA has expired, nodes receive the new one immediately. If the CA's key does not open,
 * they receive the new one immediately and also trust the old one; this ends a rotation that runs without its keys.
 * @throws ValidationError, NotFoundError, ConflictError while a rotation runs
 */
export async function rotateClusterCa(
  scope: Scope,
  vault: Vault,
  id: string,
  input: { caLifetimeDays?: number | undefined },
): Promise<Cluster> {
  const { caLifetimeDays: lifetimeDays } = check(rules, input)
  return repairCluster(scope, id, 'CA rotation: new CA', (change) =>
    beginCaRotation(vault, change, { lifetimeDays, startedBy: scope.actor }),
  )
}

/** Who starts the rotation, and how long its new CA is valid. */
interface Beginning {
  readonly lifetimeDays: number
  /** The name for messages. */
  readonly startedBy: string
}

/**
 * The first step of a rotation, as part of a change.
 * @returns the columns to set
 * @throws ConflictError while another one runs
 */
export function beginCaRotation(vault: Vault, change: Change, { lifetimeDays, startedBy }: Beginning) {
  if (!areKeysOpen(vault, change.cluster)) {
    const { cluster } = change
    const groups = cluster.pkiCaCert === null ? [] : parseCaCertificate(cluster.pkiCaCert).groups
    const made = newCa(vault, cluster, { lifetimeDays, groups })
    return { ...inPlaceOfLost(cluster, made, startedBy), ...bundleKeyThatOpens(vault, cluster) }
  }
  const { cluster } = withPki(vault, change)
  assertNotRotating(cluster)
  const { groups, notAfter } = parseCaCertificate(cluster.pkiCaCert)
  const made = newCa(vault, cluster, { lifetimeDays, groups })
  // An expired CA has already disconnected the nodes and cannot sign: there is nothing to keep connected.
  if (notAfter < new Date()) return { ...started('DROP_OLD', cluster, startedBy), ...made }
  const other = { pkiOtherCaCert: made.pkiCaCert, pkiOtherCaKey: made.pkiCaKey }
  return { ...started('TRUST_BOTH', cluster, startedBy), ...other }
}

/**
 * A rotation that replaces a CA which cannot sign, since its key does not open. The new CA signs immediately, and the
 * old one's certificates stay valid until all nodes have new ones.
 */
export const inPlaceOfLost = (cluster: Cluster, ca: CaColumns, startedBy: string) => ({
  ...started('SIGN_AGAIN', cluster, startedBy),
  ...ca,
  pkiOtherCaCert: cluster.pkiCaCert,
  pkiOtherCaKey: null,
})

/**
 * Aborts a rotation. If nodes only trust the new CA so far, they drop it. If certificates were signed with it, they are
 * signed again with the old CA, and the rotation continues in order to drop the new one.
 * @throws NotFoundError, ConflictError when no rotation runs, or when the old CA is gone already or its key was lost
 */
export const abortClusterCaRotation = (scope: Scope, id: string): Promise<Cluster> =>
  updateCluster(scope, id, 'CA rotation: aborted', ({ cluster }) => {
    switch (phaseOf(cluster)) {
      case null:
        throw new ConflictError('No rotation of the CA runs')
      case 'TRUST_BOTH':
        return ended
      case 'SIGN_AGAIN':
        if (cluster.pkiOtherCaKey === null) {
          throw new ConflictError(
            'The key of the old CA was lost: import it (importClusterPki) when this rotation has ended',
          )
        }
        return { ...step('SIGN_AGAIN', cluster), ...swapped(cluster) }
      case 'DROP_OLD':
        throw new ConflictError('The old CA is not trusted any more: begin another rotation when this one has ended')
    }
  })

/**
 * The master's sweep: takes the next step of every rotation whose current step has reached the nodes. It yields after
 * each cluster. A step that two instances take at the same time is taken once.
 */
export async function* advanceCaRotations(operator: Operator): AsyncGenerator<void, void> {
  const where = { caRotationPhase: { not: null } }
  const read = ({ after, rest }: IdPage) =>
    operator.db.cluster.findMany({ where: { ...where, id: after }, select: { id: true }, ...rest })
  for await (const page of idPages(chunk, read)) {
    for (const { id } of page) {
      await advanceCaRotation(bySystem(operator, 'cluster.ca.rotation.advance'), id)
      yield
    }
  }
}

/** Takes the next step of one cluster's rotation when every present node has applied the current one. */
export async function advanceCaRotation(scope: Scope, id: string): Promise<void> {
  const before = await scope.db.cluster.findUnique({ where: { id } })
  if (!before || !(await isReady(scope.db, before))) return
  if (phaseOf(before) === 'DROP_OLD') {
    // Every node has its final configuration, so the nodes need no new version.
    const where = { id, caRotationPhase: 'DROP_OLD', caRotationVersion: before.caRotationVersion }
    await scope.db.cluster.updateMany({ where, data: ended })
    return
  }
  try {
    const summary = `CA rotation: ${phaseOf(before) === 'TRUST_BOTH' ? 'sign again' : 'drop the old one'}`
    await updateCluster(scope, id, summary, async ({ tx, cluster }) => {
      // Under the cluster's lock: another instance, a change or an abort may have been faster.
      if (cluster.caRotationVersion !== before.caRotationVersion || !(await isReady(tx, cluster))) throw new NotReady()
      return phaseOf(cluster) === 'TRUST_BOTH'
        ? { ...step('SIGN_AGAIN', cluster), ...swapped(cluster) }
        : { ...step('DROP_OLD', cluster), pkiOtherCaCert: null, pkiOtherCaKey: null }
    })
  } catch (error) {
    // A cluster whose keys do not open waits until they do; the publisher reports it.
    if (!(error instanceof NotReady || error instanceof NotFoundError || error instanceof ClosedKeysError)) throw error
  }
}

/** Rolls back the version: the step was taken by another instance, or is no longer allowed. */
class NotReady extends Error {}

/**
 * Whether the phase's version was published, and every node that was seen in the last day runs it. If the old CA has
 * expired while nodes trust both, waiting keeps no node connected and delays the others.
 */
const isReady = async (db: Parameters<typeof waitsForNobody>[0], cluster: Cluster): Promise<boolean> =>
  cluster.caRotationVersion !== null &&
  cluster.publishedConfigVersion >= cluster.caRotationVersion &&
  (isOldEnded(cluster) || (await waitsForNobody(db, cluster)))

const isOldEnded = (cluster: Cluster): boolean =>
  phaseOf(cluster) === 'TRUST_BOTH' && cluster.pkiCaCert !== null && caDetails(cluster.pkiCaCert).notAfter <= new Date()

/** The columns of a rotation's first step. */
const started = (phase: CaRotationPhase, cluster: Cluster, caRotationStartedBy: string) => ({
  ...step(phase, cluster),
  caRotationStartedAt: new Date(),
  caRotationStartedBy,
})

const step = (phase: CaRotationPhase, { configVersion }: Cluster) => ({
  caRotationPhase: phase,
  caRotationVersion: configVersion,
})

const swapped = ({ pkiCaCert, pkiCaKey, pkiOtherCaCert, pkiOtherCaKey }: Cluster) => ({
  pkiCaCert: pkiOtherCaCert,
  pkiCaKey: pkiOtherCaKey,
  pkiOtherCaCert: pkiCaCert,
  pkiOtherCaKey: pkiCaKey,
})

/** The columns of a cluster whose CA is not being rotated. */
export const ended = {
  caRotationPhase: null,
  caRotationVersion: null,
  caRotationStartedAt: null,
  caRotationStartedBy: null,
  pkiOtherCaCert: null,
  pkiOtherCaKey: null,
} satisfies Prisma.ClusterUncheckedUpdateManyInput
