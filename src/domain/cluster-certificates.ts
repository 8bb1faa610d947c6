import * as z from 'zod'

import { ConflictError, NotFoundError, ValidationError } from '../base/errors.ts'
import type { Scope } from '../auth/scope.ts'
import type { Cluster } from '../db/types.ts'
import { isAtLeast } from '../nebula/version.ts'
import { parseCaCertificate } from '../pki/certificate.ts'
import { assertNotRotating } from './ca-rotation.ts'
import { changeCluster, updateCluster, type Change } from './cluster-change.ts'
import { minimumForVersion2 } from './enrolment.ts'
import { groupsRule } from './node-rules.ts'
import { certificateLifetimeRule, certificateVersionRule, check, defined } from './rules.ts'

const rules = z.object({
  certificateVersion: certificateVersionRule.optional(),
  certificateLifetimeDays: certificateLifetimeRule.optional(),
})

/**
 * Sets the format and the lifetime of the nodes' certificates. Another format: all are signed again with the next
 * version. Another lifetime: each is, when it is signed next.
 * @throws ValidationError, NotFoundError, ConflictError when nodes cannot read the format, and while the CA is rotated
 */
export async function updateClusterCertificates(
  scope: Scope,
  id: string,
  input: { certificateVersion?: number | undefined; certificateLifetimeDays?: number | undefined },
): Promise<Cluster> {
  const data = defined(check(rules, input))
  await changeCluster(scope, id, `certificates ${JSON.stringify(data)}`, async (change) => {
    const { cluster, set } = change
    assertNotRotating(cluster)
    if (data.certificateVersion === 2) await assertAllReadVersion2(change)
    if (data.certificateVersion === 1) assertVersion1Suffices(cluster)
    set(data)
  })
  return present(scope, id)
}

const enrollRules = z.object({ enrollGroups: groupsRule })

/**
 * Sets which groups a machine may ask for when it enrols itself. What nodes run does not change; it is a version like the
 * others for its audit trail, and so that two who set the groups at once learn of each other.
 * @throws ValidationError, NotFoundError
 */
export async function updateClusterEnrollment(
  scope: Scope,
  id: string,
  input: { enrollGroups: readonly string[] },
): Promise<Cluster> {
  const data = check(enrollRules, input)
  const { pkiCaCert } = await present(scope, id)
  const allowed = pkiCaCert === null ? [] : parseCaCertificate(pkiCaCert).groups
  const index = data.enrollGroups.findIndex((group) => allowed.length > 0 && !allowed.includes(group))
  if (index >= 0) {
    const message = `is not one of the groups that the CA may sign: ${allowed.join(', ')}`
    throw ValidationError.at(['input', 'enrollGroups', String(index)], message)
  }
  return updateCluster(scope, id, `enrolment groups ${JSON.stringify(data.enrollGroups)}`, data)
}

async function assertAllReadVersion2({ tx, cluster }: Change): Promise<void> {
  const where = { clusterId: cluster.id, certificate: { not: null } }
  const versions = await tx.node.groupBy({ by: ['nebulaVersion'], where })
  const old = versions
    .map(({ nebulaVersion }) => nebulaVersion)
    .filter((version) => version === null || !isAtLeast(version, minimumForVersion2))
  if (old.length === 0) return
  const nodes = await tx.node.findMany({
    where: {
      ...where,
      OR: [{ nebulaVersion: { in: old.filter((one) => one !== null) } }, ...(old.includes(null) ? [unknown] : [])],
    },
    orderBy: { name: 'asc' },
    take: 6,
    select: { name: true, nebulaVersion: true },
  })
  const named = nodes.slice(0, 5).map(({ name, nebulaVersion }) => `"${name}" (${nebulaVersion ?? 'none reported'})`)
  throw new ConflictError(
    `Certificates of version 2 need Nebula 1.10 on every node; these report another: ${named.join(', ')}` +
      (nodes.length > 5 ? ', and more' : ''),
  )
}

const unknown = { nebulaVersion: null }

/** IPv6 routes are refused in both versions: only the CA can stand in the way. */
function assertVersion1Suffices({ pkiCaCert }: Cluster): void {
  if (pkiCaCert === null || parseCaCertificate(pkiCaCert).version === 1) return
  throw new ConflictError('The cluster’s CA is of version 2, which Nebula before 1.10 cannot read')
}

async function present(scope: Scope, id: string): Promise<Cluster> {
  const cluster = await scope.db.cluster.findUnique({ where: { id } })
  if (!cluster) throw new NotFoundError('Cluster')
  return cluster
}
