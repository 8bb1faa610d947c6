import { systemOperator } from '../../auth/system.ts'
import type { Operator } from '../../auth/scope.ts'
import type { Tokens } from '../../auth/tokens.ts'
import type { Database } from '../../db/client/client.ts'
import { packBundle } from '../../domain/bundles/compile/pack.ts'
import { createCluster } from '../../domain/clusters/clusters.ts'
import { createConfigBundle } from '../../domain/bundles/config-uploads.ts'
import { createNode } from '../../domain/nodes/node-lifecycle.ts'
import { createAccessToken } from '../../domain/tenants/access-tokens.ts'
import { countTenants, createTenant } from '../../domain/tenants/tenants.ts'
import type { Vault } from '../../domain/pki/vault.ts'
import { UsageError } from '../usage-error.ts'
import { configFor, sample, type SampleCluster } from './sample.ts'

/** A credential of the sample, and who it is for. */
export interface DemoCredential {
  readonly who: string
  readonly token: string
}

interface Dependencies {
  readonly database: Database
  readonly tokens: Tokens
  readonly vault: Vault
}

/** Of the credentials of people, in milliseconds. */
const lifetime = 12 * 3_600_000

/**
 * Fills an empty database with the sample, through the functions that the API calls, and returns one credential for
 * each kind of caller.
 * @throws UsageError when the database has tenants already
 */
export async function fillDemo({ database, ...making }: Dependencies): Promise<DemoCredential[]> {
  const operator = systemOperator(database)
  if ((await countTenants(operator)) > 0) {
    throw new UsageError('--demo fills an empty database only: this one has tenants. Set DATABASE_URL to a new file.')
  }
  const maker = { scope: operator, tokens: making.tokens, credentialId: null }
  const expiresAt = new Date(Date.now() + lifetime)
  const operators = await createAccessToken(maker, { role: 'operator', name: 'demo-operator', expiresAt })
  const credentials: DemoCredential[] = [{ who: 'operator', token: operators.token }]
  for (const { name, clusters } of sample) {
    const { id: tenantId } = await createTenant(operator, { name })
    for (const role of ['admin', 'viewer'] as const) {
      const { token } = await createAccessToken(maker, { role, tenantId, name: `demo-${role}`, expiresAt })
      credentials.push({ who: `${role} of ${name}`, token })
    }
    for (const cluster of clusters) {
      const where = `${name}, cluster ${cluster.name}`
      const made = await fillCluster(operator, making, tenantId, cluster)
      credentials.push(...made.map(({ who, token }) => ({ who: `${who} (${where})`, token })))
    }
  }
  return credentials
}

/** One cluster with its nodes and versions; returns its own token, an admin node's and a plain node's. */
async function fillCluster(
  operator: Operator,
  making: Pick<Dependencies, 'tokens' | 'vault'>,
  tenantId: string,
  { name, networkCidr, nodes, versions }: SampleCluster,
): Promise<DemoCredential[]> {
  const { cluster, token } = await createCluster(operator, making, { tenantId, name, networkCidr })
  const made = []
  for (const node of nodes) made.push(await createNode(operator, making.tokens, { ...node, clusterId: cluster.id }))
  const admin = made.find(({ node }) => node.isAdmin)
  const plain = made.findLast(({ node }) => !node.isAdmin)
  for (const [index, message] of versions.entries()) {
    const archive = await packBundle([{ path: 'config.yml', content: configFor(index + 1) }])
    const author = { nodeId: admin?.node.id ?? null, mayChangeFirewall: true }
    await createConfigBundle({ scope: operator, vault: making.vault }, author, {
      clusterId: cluster.id,
      archive,
      message,
    })
  }
  return [
    { who: 'enrolling machine', token },
    ...(admin ? [{ who: `admin node ${admin.node.name}`, token: admin.token }] : []),
    ...(plain ? [{ who: `node ${plain.node.name}`, token: plain.token }] : []),
  ]
}
