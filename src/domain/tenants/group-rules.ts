import type { GroupRule } from '../../auth/group-rules.ts'
import type { Operator } from '../../auth/scope.ts'
import type { Logger } from '../../base/log.ts'

/**
 * Warns of tenants and clusters that rules name and that are not there, in two statements. They may come to be, or have
 * been deleted, so they are no reason not to start: whom such a rule lets in sees nothing of them.
 */
export async function warnOfRules(
  { db }: Pick<Operator, 'db'>,
  rules: readonly GroupRule[],
  log: Pick<Logger, 'warn'>,
): Promise<void> {
  const named = rules.flatMap(({ rights }, rule) => (rights.role === 'operator' ? [] : [{ rule, ...rights }]))
  if (named.length === 0) return
  const select = { id: true }
  const tenantIds = named.map(({ tenantId }) => tenantId)
  const tenants = await db.tenant.findMany({ where: { id: { in: tenantIds } }, select })
  const clusterIds = named.flatMap((one) => one.clusterIds ?? [])
  const clusters = await db.cluster.findMany({
    where: { id: { in: clusterIds } },
    select: { id: true, tenantId: true },
  })
  for (const { rule, tenantId, clusterIds } of named) {
    if (!tenants.some(({ id }) => id === tenantId)) {
      log.warn({ rule, tenantId }, 'a rule of OIDC_RULES names a tenant that does not exist')
      continue
    }
    const missing = (clusterIds ?? []).filter(
      (id) => !clusters.some((one) => one.id === id && one.tenantId === tenantId),
    )
    if (missing.length === 0) continue
    log.warn({ rule, tenantId, clusterIds: missing }, 'a rule of OIDC_RULES names clusters that its tenant has not')
  }
}
