import * as z from 'zod'

import { NotFoundError, ValidationError } from '../../base/errors.ts'
import { newId } from '../../base/ids.ts'
import type { Operator, Scope } from '../../auth/scope.ts'
import type { ClusterToken, TokenHash, Tokens } from '../../auth/tokens.ts'
import { refusal } from '../../db/client/errors.ts'
import { clusterList, type ClusterFilter, type ClusterOrder } from '../../db/reads/lists.ts'
import type { Cluster, Prisma } from '../../db/client/types.ts'
import { shownOnce } from '../audit/recorded.ts'
import { keepClusterToken, replacementOf, type Grace } from '../credentials/former-tokens.ts'
import { networkRule } from '../shared/addresses.ts'
import { caLifetimeDays, newBundleKey, newCa } from '../pki/cluster-ca.ts'
import { updateCluster, withClusterLocked } from './cluster-change.ts'
import { clusterNameTaken } from './cluster-name.ts'
import { clusterNotes, type ClusterNotes } from './cluster-notes.ts'
import { filterBy, type List } from '../shared/pages.ts'
import { firewallRule, openFirewall } from './firewall.ts'
import { assertAllRun, firewallNeeds, minimumForFirewall } from './nebula-versions.ts'
import { groupsRule } from '../nodes/node-rules.ts'
import { addProblem } from '../shared/issues.ts'
import { caLifetimeRule, certificateLifetimeRule, certificateVersionRule, check } from '../shared/rules.ts'
import { defined, nameRule, portRule } from '../shared/rules.ts'
import type { Vault } from '../pki/vault.ts'

export type { ClusterFilter, ClusterOrder } from '../../db/reads/lists.ts'

/** GetCluster: one cluster of the tenant; null when it does not exist or is not in the scope. */
export const getCluster = (scope: Scope, id: string, query: { select?: Prisma.ClusterSelect } = {}) =>
  scope.db.cluster.findUnique({ ...query, where: { id } })

/** GetClusterByID: one cluster of any tenant; null when it does not exist. */
export const getClusterById = (operator: Operator, id: string, query: { select?: Prisma.ClusterSelect } = {}) =>
  operator.db.cluster.findUnique({ ...query, where: { id } })

/** A cluster's columns, and the version of its newest bundle. */
export type ClusterFields = Cluster & { readonly latestBundleVersion: number | null }

/** Some columns of one cluster, read in the same query as other look-ups of this moment; null as with GetCluster. */
export const findCluster = <Field extends keyof ClusterFields>(
  scope: Scope,
  id: string,
  fields: readonly Field[],
): Promise<Pick<ClusterFields, Field> | null> => scope.read.row('clusters', 'id', id, fields)

/**
 * ListClusters: the clusters of the tenant in scope, or of each of several tenants, in pages; by name unless another
 * order is asked for. Counted: CountClusters.
 */
export const listClusters = (filter: ClusterFilter = {}, orderBy?: ClusterOrder): List =>
  clusterList(filterBy(filter), orderBy)

/** ListAllClusters: the clusters of every tenant, for operators. */
export const listAllClusters = (_operator: Operator, filter: ClusterFilter = {}, orderBy?: ClusterOrder): List =>
  listClusters(filter, orderBy)

/** GetClusterVersion: only the wanted version; null when the cluster is not in the scope. */
export async function getClusterVersion(scope: Scope, id: string): Promise<number | null> {
  const cluster = await scope.read.row('clusters', 'id', id, ['configVersion'])
  return cluster?.configVersion ?? null
}

/** The cluster of an enrollment token, with the columns that authentication needs. */
export const getClusterByTokenHash = (operator: Operator, clusterTokenHash: TokenHash) =>
  operator.read.row('clusters', 'clusterTokenHash', clusterTokenHash, credentialFields)

/** The same columns of a cluster that another credential led to. */
export const getCredentialCluster = (operator: Operator, id: string) =>
  operator.read.row('clusters', 'id', id, credentialFields)

const credentialFields = ['id', 'tenantId', 'clusterTokenHash'] as const

export interface NewCluster extends ClusterNotes {
  /** The owner; a tenant's own scope determines it already. */
  readonly tenantId?: string | undefined
  readonly name: string
  readonly networkCidr?: string | undefined
  readonly provideLighthouse?: boolean | undefined
  readonly lighthousePort?: number | undefined
  readonly certificateVersion?: number | undefined
  readonly certificateLifetimeDays?: number | undefined
  /** Groups that a machine may request when it enrolls itself. */
  readonly enrollGroups?: readonly string[] | undefined
  readonly caLifetimeDays?: number | undefined
  /** The only groups that the CA may sign; absent or empty for any group. */
  readonly caGroups?: readonly string[] | undefined
}

const newClusterRules = clusterNotes
  .extend({
    name: nameRule,
    networkCidr: networkRule.default('10.42.0.0/16'),
    provideLighthouse: z.boolean().default(false),
    lighthousePort: portRule.default(4242),
    certificateVersion: certificateVersionRule.default(1),
    certificateLifetimeDays: certificateLifetimeRule.default(30),
    enrollGroups: groupsRule.default([]),
    caLifetimeDays: caLifetimeRule.default(caLifetimeDays),
    caGroups: groupsRule.default([]),
  })
  .superRefine(({ enrollGroups, caGroups }, context) => {
    if (caGroups.length === 0) return
    enrollGroups.forEach((group, index) => {
      const message = `is not one of the groups that the CA may sign: ${group}`
      if (!caGroups.includes(group)) addProblem(context, { code: 'NOT_ALLOWED', message }, ['enrollGroups', index])
    })
  })

/**
 * CreateCluster: a new network of a tenant, with its CA, the key that signs its bundles, and the enrollment token for
 * its machines. The token is returned only here; the keys are sealed.
 * @throws ValidationError, NotFoundError when the tenant is not in the scope, ConflictError when the name is taken
 */
export async function createCluster(
  scope: Scope,
  { tokens, vault }: { readonly tokens: Tokens; readonly vault: Vault },
  { tenantId: whose, ...input }: NewCluster,
): Promise<{ cluster: Cluster; token: ClusterToken }> {
  const { caLifetimeDays: lifetimeDays, caGroups: groups, ...fields } = check(newClusterRules, input)
  const tenantId = whose ?? scope.tenantId
  if (tenantId === null)
    throw ValidationError.at(['input', 'tenantId'], 'REQUIRED', 'operators must say whose the cluster is')
  if (
    !(await scope.db.tenant.findUnique({
      where: { id: tenantId },
      select: { id: true },
    }))
  ) {
    throw new NotFoundError('Tenant')
  }
  const { token, hash } = shownOnce(scope, tokens.newClusterToken())
  try {
    const id = newId()
    const data = {
      id,
      tenantId,
      clusterTokenHash: hash,
      firewall: firewallJson(openFirewall),
      unpublishedSince: new Date(),
      ...defined(fields),
      ...newCa(vault, { id, ...fields }, { lifetimeDays, groups }),
      ...newBundleKey(vault, { id }),
    }
    const cluster = await scope.db.cluster.create({ data })
    scope.changes.emit({ kind: 'clusterAdded', clusterId: id })
    return { cluster, token }
  } catch (error) {
    const refused = refusal(error)
    if (refused?.kind === 'unique') throw clusterNameTaken(fields.name)
    if (refused?.kind === 'foreignKey') throw new NotFoundError('Tenant')
    throw error
  }
}

const lighthouseRules = z.object({
  provideLighthouse: z.boolean().optional(),
  lighthousePort: portRule.optional(),
})

/**
 * UpdateClusterLighthouse: whether the control plane provides a lighthouse for the cluster, and the default UDP port of
 * its lighthouses.
 * @throws ValidationError, NotFoundError
 */
export async function updateClusterLighthouse(
  scope: Scope,
  id: string,
  input: {
    provideLighthouse?: boolean | undefined
    lighthousePort?: number | undefined
  },
): Promise<Cluster> {
  const data = defined(check(lighthouseRules, input))
  return updateCluster(scope, id, `lighthouse ${JSON.stringify(data)}`, data)
}

/**
 * Sets the firewall rules of every node.
 * @throws ValidationError, NotFoundError, ConflictError while nodes run a Nebula that would let in more than the rules
 * allow
 */
export async function updateClusterFirewall(scope: Scope, id: string, input: unknown): Promise<Cluster> {
  const firewall = check(firewallRule, input, ['input', 'firewall'])
  return updateCluster(scope, id, 'firewall', async (change) => {
    await assertAllRun(change, minimumForFirewall(firewall), firewallNeeds)
    return { firewall }
  })
}

/**
 * UpdateClusterVersion: requests a new version although nothing changed.
 * @throws NotFoundError
 */
export const updateClusterVersion = (scope: Scope, id: string): Promise<Cluster> =>
  updateCluster(scope, id, 'published anew', {})

/**
 * UpdateClusterTokenHash: replaces the enrollment token. The old one becomes invalid immediately, or at the end of its
 * grace; nodes keep their own tokens.
 * @throws ValidationError, NotFoundError
 */
export async function rotateClusterToken(
  scope: Scope,
  tokens: Tokens,
  id: string,
  grace: Grace = {},
): Promise<{ cluster: Cluster; token: ClusterToken }> {
  const replacement = replacementOf(scope, grace)
  const { token, hash } = shownOnce(scope, tokens.newClusterToken())
  const cluster = await updateCluster(scope, id, 'new cluster token', async ({ tx, cluster: before }) => {
    await keepClusterToken(tx, before, replacement)
    return { clusterTokenHash: hash }
  })
  scope.changes.emit({ kind: 'ended', clusterId: id, whose: 'enrolling' })
  return { cluster, token }
}

/**
 * DeleteCluster: removes the network with its nodes, bundles and states.
 * @throws NotFoundError
 */
export async function deleteCluster(scope: Scope, id: string): Promise<Cluster> {
  const deleted = await withClusterLocked(scope, id, 'Cluster', (tx) => tx.cluster.delete({ where: { id } }))
  scope.changes.emit({ kind: 'ended', clusterId: id, whose: 'everybody' })
  return deleted
}

/** A firewall as the JSON column holds it. */
const firewallJson = (firewall: object): Prisma.InputJsonObject => ({
  ...firewall,
})
