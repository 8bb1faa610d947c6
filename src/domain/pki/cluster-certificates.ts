import * as z from 'zod'

import { ConflictError, ValidationError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { firstWithCertificates2 } from '../../nebula/version-hazards.ts'
import { parseCaCertificate } from '../../pki/certificate.ts'
import { assertNotRotating } from './ca-rotation.ts'
import { updateCluster } from '../clusters/cluster-change.ts'
import { assertAllRun } from '../clusters/nebula-versions.ts'
import { groupsRule } from '../nodes/node-rules.ts'
import { certificateLifetimeRule, certificateVersionRule, check, defined } from '../shared/rules.ts'

const rules = z.object({
  certificateVersion: certificateVersionRule.optional(),
  certificateLifetimeDays: certificateLifetimeRule.optional(),
})

/**
 * Sets the format and the lifetime of the nodes' certificates. A new format: all are signed again with the next
 * version. A new lifetime applies to each certificate when it is next signed.
 * @throws ValidationError, NotFoundError, ConflictError when nodes cannot read the format, and during a CA rotation
 */
export async function updateClusterCertificates(
  scope: Scope,
  id: string,
  input: { certificateVersion?: number | undefined; certificateLifetimeDays?: number | undefined },
): Promise<Cluster> {
  const data = defined(check(rules, input))
  return updateCluster(scope, id, `certificates ${JSON.stringify(data)}`, async (change) => {
    assertNotRotating(change.cluster)
    if (data.certificateVersion === 2)
      await assertAllRun(change, firstWithCertificates2, 'Certificates of version 2 need')
    if (data.certificateVersion === 1) assertVersion1Suffices(change.cluster)
    return data
  })
}

const enrollRules = z.object({ enrollGroups: groupsRule })

/**
 * Sets the groups that a machine may request when it enrolls itself. The nodes' configuration does not change. It is
 * still a version, for the audit trail and so that two concurrent changes conflict.
 * @throws ValidationError, NotFoundError
 */
export async function updateClusterEnrollment(
  scope: Scope,
  id: string,
  input: { enrollGroups: readonly string[] },
): Promise<Cluster> {
  const data = check(enrollRules, input)
  return updateCluster(
    scope,
    id,
    `enrollment groups ${JSON.stringify(data.enrollGroups)}`,
    ({ cluster: { pkiCaCert } }) => {
      const allowed = pkiCaCert === null ? [] : parseCaCertificate(pkiCaCert).groups
      const index = data.enrollGroups.findIndex((group) => allowed.length > 0 && !allowed.includes(group))
      if (index < 0) return data
      const message = `is not one of the groups that the CA may sign: ${allowed.join(', ')}`
      throw ValidationError.at(['input', 'enrollGroups', String(index)], 'NOT_ALLOWED', message)
    },
  )
}

/** IPv6 routes are refused in both versions: only the CA can prevent version 1. */
function assertVersion1Suffices({ pkiCaCert }: Cluster): void {
  if (pkiCaCert === null || parseCaCertificate(pkiCaCert).version === 1) return
  throw new ConflictError('The cluster’s CA is of version 2, which Nebula before 1.10 cannot read')
}
