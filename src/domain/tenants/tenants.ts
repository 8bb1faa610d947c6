import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import { isId, newId } from '../../base/ids.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import { refusal } from '../../db/client/errors.ts'
import { tenantList, type TenantFilter, type TenantOrder } from '../../db/reads/lists.ts'
import type { Prisma, Tenant } from '../../db/client/types.ts'
import { filterBy, type List } from '../shared/pages.ts'
import { check, defined, descriptionRule, nameRule } from '../shared/rules.ts'

export type { TenantFilter, TenantOrder }

/** GetTenant: one tenant; null when it does not exist or is not in the scope. */
export const getTenant = (scope: Scope, id: string, query: { select?: Prisma.TenantSelect } = {}) =>
  scope.db.tenant.findUnique({ ...query, where: { id } })

/** The tenant that somebody names at the command line. @throws NotFoundError */
export async function tenantByIdOrName({ db }: Operator, text: string): Promise<Tenant> {
  const where = isId(text.toLowerCase()) ? { id: text.toLowerCase() } : { name: text }
  const tenant = await db.tenant.findUnique({ where })
  if (!tenant) throw new NotFoundError('Tenant')
  return tenant
}

/** Some columns of one tenant, read in the same query as other look-ups of this moment; null as with GetTenant. */
export const findTenant = <Field extends keyof Tenant>(
  scope: Scope,
  id: string,
  fields: readonly Field[],
): Promise<Pick<Tenant, Field> | null> => scope.read.row('tenants', 'id', id, fields)

/** ListTenants: all tenants in scope, in pages; by name unless another order is asked for. */
export const listTenants = (filter: TenantFilter = {}, orderBy?: TenantOrder): List =>
  tenantList(filterBy(filter), orderBy)

/** CountTenants: the number of tenants. */
export const countTenants = (scope: Scope): Promise<number> => scope.read.count(listTenants())

/** What people note about a tenant, by column; an absent field of a change is left as it is. */
const notes = z.object({ description: descriptionRule }).partial()
export type TenantNotes = z.input<typeof notes>

const nameRules = z.object({ name: nameRule })
const rules = notes.extend(nameRules.shape)

/**
 * CreateTenant: a new organisation.
 * @throws ValidationError, ConflictError when the name is taken
 */
export async function createTenant(operator: Operator, input: TenantNotes & { name: string }): Promise<Tenant> {
  const { name, ...noted } = check(rules, input)
  try {
    const tenant = await operator.db.tenant.create({ data: { id: newId(), name, ...defined(noted) } })
    operator.changes.emit({ kind: 'tenantAdded', tenantId: tenant.id })
    return tenant
  } catch (error) {
    if (refusal(error)?.kind === 'unique') throw nameTaken(name)
    throw error
  }
}

/**
 * Gives an organisation another name.
 * @throws ValidationError, NotFoundError, ConflictError when the name is taken
 */
export async function renameTenant(operator: Operator, id: string, input: { name: string }): Promise<Tenant> {
  const { name } = check(nameRules, input)
  try {
    const [tenant] = await operator.db.tenant.updateManyAndReturn({ where: { id }, data: { name } })
    if (!tenant) throw new NotFoundError('Tenant')
    return tenant
  } catch (error) {
    if (refusal(error)?.kind === 'unique') throw nameTaken(name)
    throw error
  }
}

const nameTaken = (name: string) => new ConflictError(`A tenant named "${name}" exists already`)

/**
 * Changes the notes about an organisation.
 * @throws ValidationError, NotFoundError
 */
export async function updateTenantNotes(operator: Operator, id: string, input: TenantNotes): Promise<Tenant> {
  const data = defined(check(notes, input))
  const [tenant] = await operator.db.tenant.updateManyAndReturn({ where: { id }, data })
  if (!tenant) throw new NotFoundError('Tenant')
  return tenant
}

/**
 * DeleteTenant: removes the organisation with its clusters, nodes and bundles.
 * @throws NotFoundError
 */
export async function deleteTenant(operator: Operator, id: string): Promise<Tenant> {
  try {
    const { clusters, deleted } = await operator.db.$transaction(async (tx) => ({
      clusters: await tx.cluster.findMany({ where: { tenantId: id }, select: { id: true } }),
      deleted: await tx.tenant.delete({ where: { id } }),
    }))
    for (const { id: clusterId } of clusters) operator.changes.emit({ kind: 'ended', clusterId, whose: 'everybody' })
    operator.changes.emit({ kind: 'tenantRemoved', tenantId: id })
    return deleted
  } catch (error) {
    if (refusal(error)?.kind === 'missing') throw new NotFoundError('Tenant')
    throw error
  }
}
