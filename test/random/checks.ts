import type { RawClient } from '../support/tenants.ts'
import type { Caller, Stage } from './stage.ts'

export interface Answer {
  readonly status: number
  readonly text: string
}

/** A fault of ours; null when there is none. */
export function faultIn({ status, text }: Answer): string | null {
  if (status >= 500 || text.includes('INTERNAL_SERVER_ERROR')) return `a fault of the server: ${status} ${text}`
  return text.includes('GRAPHQL_VALIDATION_FAILED') ? `an operation that is not valid: ${text}` : null
}

/**
 * What of other tenants' rows is in the answer, beside what the question held itself.
 * @param tried the ids that the tenant's own callers have asked for so far: its trail has them as targets of refusals
 */
export function leakIn(
  { text }: Answer,
  { foreignMarks }: Caller,
  { question, tried }: { readonly question: string; readonly tried: ReadonlySet<string> },
): string | null {
  const untried = text.replaceAll(targets, (of) => of.replaceAll(uuid, (id) => (tried.has(id) ? '<tried>' : id)))
  const leaked = foreignMarks.find((mark) => untried.includes(mark) && !question.includes(mark))
  return leaked === undefined ? null : `a foreign value (${leaked}): ${text}`
}

/**
 * What tells foreign ids from missing ones, when no answer to the former is among those to the latter. The ids and what
 * is new in each answer do not count: request ids, tokens, times that are not before `since` (milliseconds since 1970).
 */
export function difference(
  foreign: readonly Answer[],
  missing: readonly Answer[],
  { ids, since }: { readonly ids: readonly string[]; readonly since: number },
): string | null {
  const asked = new Set(ids)
  const plain = ({ status, text }: Answer) =>
    `${status} ${text}`
      .replaceAll(uuid, (id) => (asked.has(id) ? '<id>' : id))
      .replaceAll(time, (text) => (Date.parse(text) >= since ? '<now>' : text))
  const [one, other] = [foreign.map(plain), missing.map(plain)]
  if (one.some((text) => other.includes(text))) return null
  return `a foreign id is told from a missing one: ${one[0] ?? ''} and ${other[0] ?? ''}`
}

const time = /\d{4}-\d\d-\d\dT[\d:.]+Z/g
/** The field of an audit event. */
const targets = /"targets":"(?:[^"\\]|\\.)*"/g
const uuid = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g

/** All rows beyond the caller's reach, as they are. */
export async function foreignRows(client: RawClient, { reach }: Caller, { theirs, siblingId }: Stage): Promise<string> {
  const where = reach.clusterId === null ? [theirs.clusterId] : [theirs.clusterId, siblingId]
  const ofClusters = { clusterId: { in: where } }
  return JSON.stringify([
    await client.tenant.findMany({ where: { id: theirs.tenantId } }),
    await client.cluster.findMany({ where: { OR: [{ tenantId: theirs.tenantId }, { id: { in: where } }] } }),
    await client.node.findMany({ where: ofClusters, orderBy: { id: 'asc' } }),
    await client.configBundle.findMany({ where: ofClusters, omit: { data: true }, orderBy: { version: 'asc' } }),
    await client.clusterState.findMany({ where: ofClusters, orderBy: { instanceId: 'asc' } }),
  ])
}
