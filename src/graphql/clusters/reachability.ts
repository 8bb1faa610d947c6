import {
  getReachability,
  type Obstacle,
  type ObstacleCode as ObstacleCodeShape,
  type Reachability as ReachabilityShape,
} from '../../domain/reachability/reachability.ts'
import { bundleReachOf, forbidden, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { expensively } from '../kit/cost/expensive.ts'
import { Cluster, FirewallRule } from './clusters.ts'

const ObstacleCode = builder.enumType('ReachabilityObstacleCode', {
  description: 'Why a packet does not arrive.',
  values: {
    NOT_PUBLISHED: { description: 'The node is not in the newest published version: no machine has taken it yet.' },
    CERTIFICATE_NOT_VALID: { description: 'The node’s certificate, or its CA, is not valid now.' },
    CA_NOT_TRUSTED: { description: 'The other node does not trust the CA that signed the node’s certificate.' },
    BLOCKED: { description: 'The node’s certificate is revoked.' },
    NO_COMMON_CERTIFICATE_VERSION: { description: 'The nodes have no certificates of a version that both know.' },
    NO_ROUTE: { description: 'The sender has no route for the address, or a more specific one through another node.' },
    NOT_BEHIND: { description: 'The receiver’s certificate does not name the address’s network among its routes.' },
    NOT_FOUND: { description: 'No lighthouse tells the sender where the receiver is.' },
    NO_OUTBOUND_RULE: { description: 'No rule of the sender’s firewall lets the packet out.' },
    NO_INBOUND_RULE: { description: 'No rule of the receiver’s firewall lets the packet in.' },
  } satisfies Record<ObstacleCodeShape, object>,
})

const ReachabilityObstacle = builder.objectRef<Obstacle>('ReachabilityObstacle').implement({
  description: 'One reason why a packet does not arrive.',
  fields: (t) => ({
    code: t.expose('code', { type: ObstacleCode, description: 'The kind of reason.' }),
    nodeId: t.expose('nodeId', {
      type: 'UUID',
      description: 'The node whose certificate or configuration is the reason.',
    }),
    message: t.exposeString('message', {
      description: 'The reason with its names, such as `no inbound rule on db for web (web), port 5432/tcp`.',
    }),
  }),
})

const Reachability = builder.objectRef<ReachabilityShape>('Reachability').implement({
  description:
    'Whether a packet of one node reaches another, as Nebula decides it from the published firewall, groups, networks, routes, certificates and revocations. No packet is sent. The answer does not say whether the underlay carries packets between them, or whether the nodes run this version already.',
  fields: (t) => ({
    isReachable: t.boolean({
      description: 'Whether the packet arrives.',
      resolve: ({ obstacles }) => obstacles.length === 0,
    }),
    version: t.expose('version', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The newest published version, which the answer is about; null when there is none.',
    }),
    outboundRule: t.expose('outboundRule', {
      type: FirewallRule,
      nullable: true,
      description: 'The first rule of the sender that lets the packet out; null when there is none.',
    }),
    inboundRule: t.expose('inboundRule', {
      type: FirewallRule,
      nullable: true,
      description: 'The first rule of the receiver that lets the packet in; null when there is none.',
    }),
    obstacles: t.field({
      type: [ReachabilityObstacle],
      description: 'Every reason why the packet does not arrive; empty when it does.',
      resolve: ({ obstacles }) => [...obstacles],
    }),
    relays: t.field({
      type: ['IP'],
      description: 'The relays, by overlay address, that can carry the packet when the underlay has no direct path.',
      resolve: ({ relays }) => [...relays],
    }),
  }),
})

const PacketProtocol = builder.enumType('PacketProtocol', {
  description: 'The protocol of a packet.',
  values: {
    TCP: { value: 'tcp', description: 'TCP, which has ports.' },
    UDP: { value: 'udp', description: 'UDP, which has ports.' },
    ICMP: { value: 'icmp', description: 'ICMP, such as ping; it has no ports.' },
  } as const,
})

builder.objectField(Cluster, 'reachability', (t) =>
  t.field({
    type: Reachability,
    nullable: true,
    description:
      'Whether a packet of the node `from` reaches the node `to`; null when one of them is not a node of the cluster. A node always reaches itself. For operators, people of the tenant, and admin nodes.',
    args: {
      from: t.arg({ type: 'UUID', required: true, description: 'The id of the sender.' }),
      to: t.arg({ type: 'UUID', required: true, description: 'The id of the receiver.' }),
      address: t.arg({
        type: 'IP',
        description: 'An address behind the receiver; the receiver’s own overlay address when null.',
      }),
      protocol: t.arg({ type: PacketProtocol, required: true, description: 'The protocol.' }),
      port: t.arg({ type: 'Port', description: 'The destination’s port; null for ICMP, required otherwise.' }),
    },
    resolve: ({ id }, { from, to, address, protocol, port }, context) => {
      if (bundleReachOf(context.session) !== 'all') throw forbidden()
      return getReachability(
        scopeOf(context),
        id,
        { from, to, address: address ?? null, protocol, port: port ?? null },
        (work) => expensively(context, work),
      )
    },
  }),
)
