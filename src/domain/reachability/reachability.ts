import * as z from 'zod'

import type { Scope } from '../../auth/scope.ts'
import type { Enqueue } from '../../base/limits/fair-queue.ts'
import type { Obstacle as NebulaObstacle, Packet } from '../../nebula/reachability/machine.ts'
import { publishedRule } from '../bundles/yaml/firewall-section.ts'
import { getConfigBundleArchives, getLatestConfigBundleVersion } from '../bundles/config-bundles.ts'
import type { FirewallRule } from '../clusters/firewall.ts'
import { reachabilityInThread } from '../plan/thread.ts'
import { rule } from '../shared/issues.ts'
import { check } from '../shared/rules.ts'
import { readPublishedPair } from './published-pair.ts'

export type { ObstacleCode } from '../../nebula/reachability/machine.ts'

/** A reason why a packet does not arrive, and the node that it is about. */
export interface Obstacle extends Omit<NebulaObstacle, 'at'> {
  readonly nodeId: string
}

/** Whether a packet of one node reaches another, decided from the newest published version. */
export interface Reachability {
  /** Null when no version was published. */
  readonly version: number | null
  readonly outboundRule: FirewallRule | null
  readonly inboundRule: FirewallRule | null
  /** Empty when the packet arrives. */
  readonly obstacles: readonly Obstacle[]
  readonly relays: readonly string[]
}

const portRule = z
  .object({ protocol: z.enum(['tcp', 'udp', 'icmp']), port: z.int().nullable() })
  .refine(
    ({ protocol, port }) => (protocol === 'icmp') === (port === null),
    rule('REQUIRED', 'must be set for TCP and UDP, and null for ICMP, which has no ports', ['port']),
  )

interface Question extends Omit<Packet, 'destination'> {
  readonly from: string
  readonly to: string
  /** Null for the receiver's overlay address. */
  readonly address: string | null
}

interface Found {
  readonly id: string
  readonly name: string
  readonly nebulaVersion: string | null
  readonly overlayIp: string
}

/**
 * Decides whether a packet of one node of a cluster reaches another one, from the newest published version: whether the
 * nodes run it already is another question (`Node.runningConfigVersion`).
 * @param enqueue queues the reading of the archive
 * @returns null when one of the nodes is not in the cluster, or not in the scope
 * @throws ValidationError when protocol and port do not go together
 */
export async function getReachability(
  scope: Scope,
  clusterId: string,
  { from, to, address, protocol, port }: Question,
  enqueue: Enqueue,
): Promise<Reachability | null> {
  check(portRule, { protocol, port }, [])
  const select = { id: true, tenantId: true, name: true, nebulaVersion: true, overlayIp: true } as const
  const nodes = await scope.db.node.findMany({ where: { clusterId, id: { in: [from, to] } }, select })
  const [sender, receiver] = [from, to].map((wanted) => nodes.find(({ id }) => id === wanted))
  if (!sender || !receiver) return null
  const version = await getLatestConfigBundleVersion(scope, clusterId)
  // The packet never leaves the machine.
  if (from === to) return { version, outboundRule: null, inboundRule: null, obstacles: [], relays: [] }
  const packet = { protocol, port, destination: address ?? receiver.overlayIp }
  return enqueue(async (signal) => {
    const archive = version === null ? null : (await getConfigBundleArchives(scope, clusterId, [version])).get(version)
    const pair = archive && (await readPublishedPair(archive, { sender: sender.id, receiver: receiver.id }, signal))
    if (!pair?.sender || !pair.receiver) return unpublished(version, { sender, receiver }, pair ?? null)
    const question = {
      shared: pair.shared,
      sender: { ...sender, files: pair.sender },
      receiver: { ...receiver, files: pair.receiver },
      packet,
      now: new Date(),
    }
    const { outboundRule, inboundRule, obstacles, relays } = await reachabilityInThread(
      { owner: sender.tenantId, signal },
      question,
    )
    return {
      version,
      outboundRule: outboundRule && publishedRule(outboundRule),
      inboundRule: inboundRule && publishedRule(inboundRule),
      obstacles: obstacles.map(({ at, ...rest }) => ({ ...rest, nodeId: { sender, receiver }[at].id })),
      relays,
    }
  })
}

function unpublished(
  version: number | null,
  nodes: Readonly<Record<'sender' | 'receiver', Found>>,
  pair: Readonly<Record<'sender' | 'receiver', unknown>> | null,
): Reachability {
  const missing = (['sender', 'receiver'] as const).filter((side) => !pair?.[side]).map((side) => nodes[side])
  const where = version === null ? 'no version was published yet' : `is not in version ${version}`
  const obstacles = missing.map(({ id, name }) => ({
    code: 'NOT_PUBLISHED' as const,
    nodeId: id,
    message: version === null ? `${name}: ${where}` : `${name} ${where}: it has no certificate, or was added since`,
  }))
  return { version, outboundRule: null, inboundRule: null, obstacles, relays: [] }
}
