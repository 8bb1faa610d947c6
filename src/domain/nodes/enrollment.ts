import * as z from 'zod'

import { CallerError, ConflictError, ValidationError } from '../../base/errors.ts'
import type { ValidationIssue } from '../../base/issues.ts'
import { newId } from '../../base/ids.ts'
import type { Scope, Tenant } from '../../auth/scope.ts'
import type { NodeToken, TokenHash, Tokens } from '../../auth/tokens.ts'
import type { Node, Prisma } from '../../db/client/types.ts'
import type { CertificateAuthority } from '../../pki/ca.ts'
import { formatPublicKey, type NodePublicKey } from '../../pki/keys.ts'
import { claimsOf, type EnrollmentTerms } from '../credentials/enrollment-keys.ts'
import { signerOf, trustedCas, withPki, type PkiChange } from '../pki/cluster-ca.ts'
import { changeCluster } from '../clusters/cluster-change.ts'
import { shareRecord } from '../audit/recorded.ts'
import { addressPool, type AddressPool } from './node-addresses.ts'
import { nodeNameTaken } from './nodes.ts'
import { readPublicKey, signIdentity } from '../signing/node-certificate.ts'
import { assertReads } from '../clusters/nebula-versions.ts'
import { groupsRule } from './node-rules.ts'
import { certifiedNameRule, check, nebulaVersionRule } from '../shared/rules.ts'
import { BatchQueue } from '../shared/batch-queue.ts'
import type { Vault } from '../pki/vault.ts'

/** The data that a machine sends when it enrolls. */
export interface EnrollmentInput {
  readonly name: string
  /** PEM, as `nebula-cert keygen` writes it. */
  readonly publicKey: string
  readonly groups?: readonly string[] | undefined
  readonly overlayIp?: string | undefined
  readonly nebulaVersion?: string | undefined
}

/** The data of its cluster that a node needs to run Nebula. */
export interface ClusterTrust {
  readonly clusterId: string
  readonly networkCidr: string
  /** PEM of all CAs that are trusted. */
  readonly caCertificate: string
  /** 32 bytes, base64. */
  readonly bundleSigningKey: string
}

/** The result of an enrollment. The token is returned only here. */
export interface Enrolled {
  readonly node: Node
  readonly token: NodeToken
  readonly trust: ClusterTrust
}

const rules = z.object({
  name: certifiedNameRule,
  groups: groupsRule.default([]),
  overlayIp: z.string().optional(),
  nebulaVersion: nebulaVersionRule.optional(),
})

/** One machine's enrollment with its validated input. */
interface Request extends z.infer<typeof rules> {
  readonly scope: Tenant
  readonly publicKey: NodePublicKey
  readonly publicKeyPem: string
  readonly token: NodeToken
  readonly hash: TokenHash
  /** The enrollment key; null for the cluster token. */
  readonly keyId: string | null
}

/** Where a machine enrolls, and with what. */
interface Place {
  readonly scope: Tenant
  readonly clusterId: string
  readonly keyId: string | null
}

/**
 * Enrolls machines. Requests for one cluster that arrive during its current transaction wait and share the next one,
 * each validated separately. This shares the cost of a commit (a write to the disk).
 */
export class Enrollments {
  readonly #tokens: Tokens
  readonly #vault: Vault
  readonly #batches = new BatchQueue<Request, Enrolled>(64)

  constructor({ tokens, vault }: { tokens: Tokens; vault: Vault }) {
    this.#tokens = tokens
    this.#vault = vault
  }

  /**
   * Makes a node of the machine that holds the cluster's token or an enrollment key, with an address, a certificate for its key, and its own
   * token.
   * @throws ValidationError, NotFoundError, ConflictError when the name, the key or the address is taken or Nebula is too
   * old, or the key is no longer valid, LimitError when the network is full
   */
  async enroll({ scope, clusterId, keyId }: Place, { publicKey: pem, ...input }: EnrollmentInput): Promise<Enrolled> {
    const fields = check(rules, input)
    const publicKey = readPublicKey(pem)
    const { token, hash } = this.#tokens.newNodeToken()
    const request = { ...fields, scope, publicKey, publicKeyPem: formatPublicKey(publicKey), token, hash, keyId }
    return this.#batches.take(clusterId, request, (requests) => enrollAll(scope, this.#vault, clusterId, requests))
  }
}

type NewRow = Prisma.NodeCreateManyInput & { readonly id: string }

/** Thrown to roll back the version when no request of a batch was valid. */
class NobodyEnrolled extends Error {}

/** Enrolls all valid requests in one transaction; each outcome is the node or the error, in the requests' order. */
async function enrollAll(
  scope: Scope,
  vault: Vault,
  clusterId: string,
  requests: readonly Request[],
): Promise<(Enrolled | Error)[]> {
  let outcomes: (Enrolled | Error)[] = []
  try {
    const summary = () => `${requests.map(({ name }) => name).join(', ')}: enrolled`
    await changeCluster(scope, clusterId, summary, async (change) => {
      const ready = withPki(vault, change)
      const batch = await openBatch(ready, signerOf(vault, ready.cluster), requests)
      const prepared: (NewRow | CallerError)[] = []
      for (const request of requests) prepared.push(await outcomeOf(() => batch.prepare(request)))
      const data = prepared.flatMap((one) => (one instanceof CallerError ? [] : [one]))
      if (data.length > 0) {
        const nodes = new Map((await change.tx.node.createManyAndReturn({ data })).map((node) => [node.id, node]))
        await batch.finish()
        // The change raised the version by one; each node counts as one version.
        change.set({ configVersion: ready.cluster.configVersion - 1 + data.length })
        // Assigned, not appended: the database may retry the transaction.
        outcomes = prepared.map((one, index) => enrolled(one, requests[index], nodes, ready))
        shareRecord(
          scope,
          outcomes.flatMap((one, index) => shareOf(one, requests[index])),
        )
        return
      }
      outcomes = prepared.flatMap((one) => (one instanceof CallerError ? [one] : []))
      throw new NobodyEnrolled()
    })
  } catch (error) {
    if (!(error instanceof NobodyEnrolled)) throw error
  }
  const nodeIds = outcomes.flatMap((one) => (one instanceof Error ? [] : [one.node.id]))
  if (nodeIds.length > 0) scope.changes.emit({ kind: 'nodesAdded', clusterId, nodeIds })
  return outcomes
}

function shareOf(outcome: Enrolled | Error, request: Request | undefined) {
  if (outcome instanceof Error || !request) return []
  const { id, name } = outcome.node
  return [{ scope: request.scope, targets: [{ type: 'Node', id, name }] }]
}

function enrolled(
  prepared: NewRow | CallerError,
  request: Request | undefined,
  nodes: ReadonlyMap<string, Node>,
  change: PkiChange,
): Enrolled | Error {
  if (prepared instanceof CallerError) return prepared
  const node = nodes.get(prepared.id)
  if (!node || !request) throw new Error('a node that was created is not there')
  return { node, token: request.token, trust: trustOf(change.cluster) }
}

/** The trust data for a node of a cluster that has its keys. */
export const trustOf = (cluster: PkiChange['cluster']): ClusterTrust => ({
  clusterId: cluster.id,
  networkCidr: cluster.networkCidr,
  caCertificate: trustedCas(cluster).join(''),
  bundleSigningKey: cluster.bundlePublicKey,
})

/** Loads the data that the requests of a batch are checked against: existing rows, and each other. */
async function openBatch(change: PkiChange, ca: CertificateAuthority, requests: readonly Request[]) {
  const { tx, cluster } = change
  const { id: clusterId, tenantId } = cluster
  // Two queries, each along its unique index: with OR, SQLite would read every node of the cluster.
  const sameName = { tenantId, clusterId, name: { in: requests.map(({ name }) => name) } }
  const sameKey = { tenantId, clusterId, publicKey: { in: requests.map(({ publicKeyPem }) => publicKeyPem) } }
  const named = await tx.node.findMany({ where: sameName, select: { name: true } })
  const keyed = await tx.node.findMany({ where: sameKey, select: { publicKey: true } })
  const names = new Set(named.map(({ name }) => name))
  const keys = new Set(keyed.map(({ publicKey }) => publicKey))
  const addresses = addressPool(change)
  const claims = await claimsOf(
    tx,
    requests.flatMap(({ keyId }) => keyId ?? []),
  )
  return {
    async prepare(request: Request): Promise<NewRow> {
      const { name, publicKey, publicKeyPem, nebulaVersion = null, keyId } = request
      const terms = keyId === null ? noTerms : claims.termsOf(keyId)
      assertAllowed(request.groups, [...(cluster.enrollGroups as string[]), ...terms.groups])
      const groups = groupsOf(request, terms)
      assertReads(nebulaVersion, cluster)
      if (keys.has(publicKeyPem)) throw keyInUse()
      if (names.has(name)) throw nodeNameTaken(name)
      const overlayIp = await addressFor(addresses, request)
      const identity = signIdentity(ca, cluster, { name, overlayIp, routes: [], groups, publicKey })
      if (keyId !== null) claims.use(keyId)
      names.add(name)
      keys.add(publicKeyPem)
      const { labels, ephemeralSeconds } = terms
      const owner = { id: newId(), tenantId, clusterId, tokenHash: request.hash, labels, ephemeralSeconds }
      return { ...owner, name, overlayIp, groups, routes: [], publicKey: publicKeyPem, nebulaVersion, ...identity }
    },
    /** Records the uses of the keys. */
    finish: () => claims.record(),
  }
}

/** Those of the cluster token: the machine gets what it asks for, and stays. */
const noTerms: EnrollmentTerms = { groups: [], labels: {}, ephemeralSeconds: null }

/**
 * The groups of the key and those that the machine asks for.
 * @throws ValidationError for more than a node may have
 */
const groupsOf = ({ groups }: Request, terms: EnrollmentTerms): string[] =>
  check(z.object({ groups: groupsRule }), { groups: [...new Set([...terms.groups, ...groups])] }).groups

const addressFor = (addresses: AddressPool, { overlayIp }: Request): Promise<string> =>
  overlayIp === undefined ? addresses.lowest() : addresses.wanted(overlayIp)

export const keyInUse = (): ConflictError =>
  new ConflictError('Another node of the cluster has this public key: every machine makes a key pair of its own')

function assertAllowed(groups: readonly string[], allowed: readonly string[]): void {
  const issues = groups.flatMap((group, index): ValidationIssue[] => {
    if (allowed.includes(group)) return []
    const message = `is not one that machines may ask for: ${group}`
    return [{ path: ['input', 'groups', String(index)], code: 'NOT_ALLOWED', message }]
  })
  const [first, ...rest] = issues
  if (first) throw new ValidationError([first, ...rest])
}

/** A refusal concerns only its own request; any other error fails the whole batch. */
async function outcomeOf<T>(work: () => Promise<T>): Promise<T | CallerError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof CallerError) return error
    throw error
  }
}
