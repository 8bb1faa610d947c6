import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { Cluster, Prisma } from '../../db/client/types.ts'
import { parseCaCertificate } from '../../pki/certificate.ts'
import { areKeysOpen, ClosedKeysError } from './closed-keys.ts'
import { bundleKeyThatOpens, caDetails, newCa, withPki, type CaColumns } from './cluster-ca.ts'
import { changeCluster, repairCluster, type Change } from '../clusters/cluster-change.ts'
import { waitsForNobody } from './ca-rotation-progress.ts'
import { caLifetimeRule, check } from '../shared/rules.ts'
import type { Vault } from './vault.ts'

/**
 * How a cluster's CA is replaced without parting its nodes: first all of them trust both CAs, then all are given
 * certificates of the new one, then all forget the old one. Each phase is a version of the configuration.
 */
export const caRotationPhases = ['TRUST_BOTH', 'SIGN_AGAIN', 'DROP_OLD'] as const
export type CaRotationPhase = (typeof caRotationPhases)[number]

/** The phase of a cluster's rotation; null while none runs. The database allows these values alone. */
export const phaseOf = ({ caRotationPhase }: Pick<Cluster, 'caRotationPhase'>): CaRotationPhase | null =>
  caRotationPhase as CaRotationPhase | null

/**
 * The certificate of the CA that a rotation leads to, PEM: after it was aborted in SIGN_AGAIN, that is the old one.
 * `pkiCaCert` signs in every phase.
 */
export const rotatesTo = (cluster: Pick<Cluster, 'caRotationPhase' | 'pkiCaCert' | 'pkiOtherCaCert'>): string | null =>
  phaseOf(cluster) === 'TRUST_BOTH' ? cluster.pkiOtherCaCert : cluster.pkiCaCert

/** Refuses what must wait for the end of a rotation. @throws ConflictError */
export function assertNotRotating(cluster: Pick<Cluster, 'caRotationPhase'>): void {
  if (phaseOf(cluster) === null) return
  throw new ConflictError('The cluster’s CA is being rotated: wait for the end, or abort it')
}

const rules = z.object({ caLifetimeDays: caLifetimeRule.default(3650) })

/**
 * Begins to replace the cluster's CA with a new one: from the next version on, nodes trust both. `advanceCaRotation`
 * takes the further steps. In place of a CA that has expired they get the new one at once; in place of one whose key does
 * not open they get it at once, too, and trust the old one beside it: a rotation that runs without its keys ends with that.
 * @throws ValidationError, NotFoundError, ConflictError while a rotation runs
 */
export async function rotateClusterCa(
  scope: Scope,
  vault: Vault,
  id: string,
  input: { caLifetimeDays?: number | undefined },
): Promise<Cluster> {
  const { caLifetimeDays: lifetimeDays } = check(rules, input)
  await repairCluster(scope, id, 'CA rotation: new CA', (change) => {
    beginCaRotation(vault, change, { lifetimeDays, startedBy: scope.actor })
    return Promise.resolve()
  })
  return present(scope, id)
}

/** Whose rotation it is, and for how long its new CA is valid. */
interface Beginning {
  readonly lifetimeDays: number
  /** As messages name them. */
  readonly startedBy: string
}

/**
 * The first step of a rotation, as part of a change.
 * @throws ConflictError while another one runs
 */
export function beginCaRotation(vault: Vault, change: Change, { lifetimeDays, startedBy }: Beginning): void {
  if (!areKeysOpen(vault, change.cluster)) {
    const { cluster } = change
    const groups = cluster.pkiCaCert === null ? [] : parseCaCertificate(cluster.pkiCaCert).groups
    const made = newCa(vault, cluster, { lifetimeDays, groups })
    change.set({ ...inPlaceOfLost(cluster, made, startedBy), ...bundleKeyThatOpens(vault, cluster) })
    return
  }
  const { cluster } = withPki(vault, change)
  assertNotRotating(cluster)
  const { groups, notAfter } = parseCaCertificate(cluster.pkiCaCert)
  const made = newCa(vault, cluster, { lifetimeDays, groups })
  // An expired CA has parted the nodes already, and can sign nothing more: there is nothing to lead them away from.
  if (notAfter < new Date()) change.set({ ...started('DROP_OLD', cluster, startedBy), ...made })
  else {
    const other = { pkiOtherCaCert: made.pkiCaCert, pkiOtherCaKey: made.pkiCaKey }
    change.set({ ...started('TRUST_BOTH', cluster, startedBy), ...other })
  }
}

/**
 * A rotation to a CA in place of one that cannot sign, since its key does not open: it signs at once, and the certificates
 * of the old one are good until all nodes have others.
 */
export const inPlaceOfLost = (cluster: Cluster, ca: CaColumns, startedBy: string) => ({
  ...started('SIGN_AGAIN', cluster, startedBy),
  ...ca,
  pkiOtherCaCert: cluster.pkiCaCert,
  pkiOtherCaKey: null,
})

/**
 * Ends a rotation without its new CA: nodes that only trust it so far forget it; where certificates were signed with it,
 * they are signed again with the old one, and the rotation goes on to drop the new one.
 * @throws NotFoundError, ConflictError when none runs, or when the old CA is gone already or its key was lost
 */
export const abortClusterCaRotation = (scope: Scope, id: string): Promise<Cluster> =>
  inCluster(scope, id, 'CA rotation: aborted', ({ cluster, set }) => {
    switch (phaseOf(cluster)) {
      case null:
        throw new ConflictError('No rotation of the CA runs')
      case 'TRUST_BOTH':
        set(ended)
        break
      case 'SIGN_AGAIN':
        if (cluster.pkiOtherCaKey === null) {
          throw new ConflictError(
            'The key of the old CA was lost: import it (importClusterPki) when this rotation has ended',
          )
        }
        set({ ...step('SIGN_AGAIN', cluster), ...swapped(cluster) })
        break
      case 'DROP_OLD':
        throw new ConflictError('The old CA is not trusted any more: begin another rotation when this one has ended')
    }
  })

/**
 * Takes the next step of every rotation whose present one has arrived. Call it every few seconds; instances may call it
 * at the same time.
 */
export async function advanceCaRotations(operator: Operator): Promise<void> {
  const rotating = await operator.db.cluster.findMany({
    where: { caRotationPhase: { not: null } },
    select: { id: true },
  })
  for (const { id } of rotating) await advanceCaRotation(operator, id)
}

/** Takes the next step of one cluster's rotation when every node that is there has taken the present one. */
export async function advanceCaRotation(scope: Scope, id: string): Promise<void> {
  const before = await scope.db.cluster.findUnique({ where: { id } })
  if (!before || !(await isReady(scope.db, before))) return
  if (phaseOf(before) === 'DROP_OLD') {
    // Every node has what it shall have: this is nothing that they hear of.
    const where = { id, caRotationPhase: 'DROP_OLD', caRotationVersion: before.caRotationVersion }
    await scope.db.cluster.updateMany({ where, data: ended })
    return
  }
  try {
    const summary = `CA rotation: ${phaseOf(before) === 'TRUST_BOTH' ? 'sign again' : 'drop the old one'}`
    await changeCluster(scope, id, summary, async ({ tx, cluster, set }) => {
      // Behind the cluster's lock: another instance, a change or an abortion may have been faster.
      if (cluster.caRotationVersion !== before.caRotationVersion || !(await isReady(tx, cluster))) throw new NotReady()
      if (phaseOf(cluster) === 'TRUST_BOTH') set({ ...step('SIGN_AGAIN', cluster), ...swapped(cluster) })
      else set({ ...step('DROP_OLD', cluster), pkiOtherCaCert: null, pkiOtherCaKey: null })
    })
  } catch (error) {
    // What cannot be signed for waits until it can; the publisher says so.
    if (!(error instanceof NotReady || error instanceof NotFoundError || error instanceof ClosedKeysError)) throw error
  }
}

/** Takes the bump back: the step was taken by another, or must not be taken any more. */
class NotReady extends Error {}

/**
 * Whether the phase's version was published, and every node that was seen in the last day runs it. Once the old CA has
 * ended while both are trusted, waiting for a node keeps nothing together any more, and the others apart.
 */
const isReady = async (db: Parameters<typeof waitsForNobody>[0], cluster: Cluster): Promise<boolean> =>
  cluster.caRotationVersion !== null &&
  cluster.publishedConfigVersion >= cluster.caRotationVersion &&
  (isOldEnded(cluster) || (await waitsForNobody(db, cluster)))

const isOldEnded = (cluster: Cluster): boolean =>
  phaseOf(cluster) === 'TRUST_BOTH' && cluster.pkiCaCert !== null && caDetails(cluster.pkiCaCert).notAfter <= new Date()

/** A step that is a rotation's first. */
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

/** A change of the cluster's own row that its state decides on; returns the row after it. */
async function inCluster(scope: Scope, id: string, summary: string, work: (change: Change) => void): Promise<Cluster> {
  await changeCluster(scope, id, summary, (change) => {
    work(change)
    return Promise.resolve()
  })
  return present(scope, id)
}

async function present(scope: Scope, id: string): Promise<Cluster> {
  const cluster = await scope.db.cluster.findUnique({ where: { id } })
  if (!cluster) throw new NotFoundError('Cluster')
  return cluster
}
