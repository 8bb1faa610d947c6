import type { Settings } from '../merge.ts'
import { addressesOf, textsAt, type Machine, type Obstacle, type Packet } from './machine.ts'
import { misrouted, unfound } from './path.ts'
import { passingRule } from './rules.ts'
import { distrust } from './trust.ts'

/** Whether a packet arrives, as far as certificates and configurations decide it. */
export interface Reachability {
  /** The rule of the sender that lets it out; null when there is none. */
  readonly outboundRule: Settings | null
  /** The rule of the receiver that lets it in; null when there is none. */
  readonly inboundRule: Settings | null
  /** Every reason why it does not arrive; empty when it does. */
  readonly obstacles: readonly Obstacle[]
  /** The overlay addresses of the relays that carry it when the underlay lets no direct packets through. */
  readonly relays: readonly string[]
}

/**
 * Decides whether a packet of one machine reaches another, or an address behind it, as Nebula decides it
 * (`test/mesh/reachability.test.ts` and `test/mesh/firewall.test.ts` compare with packets). The underlay is not known
 * here, nor is what a connection that is open already lets through.
 * @param now the time at which certificates have to be valid
 */
export function decideReachability(sender: Machine, receiver: Machine, packet: Packet, now: Date): Reachability {
  const [source = ''] = addressesOf(sender)
  const { destination } = packet
  const outboundRule = passingRule({
    side: 'outbound',
    own: sender,
    peer: receiver,
    ownAddress: source,
    peerAddress: destination,
    packet,
  })
  const inboundRule = passingRule({
    side: 'inbound',
    own: receiver,
    peer: sender,
    ownAddress: destination,
    peerAddress: source,
    packet,
  })
  return {
    outboundRule,
    inboundRule,
    obstacles: [
      ...distrust(sender, receiver, now),
      ...misrouted(sender, receiver, destination),
      ...unfound(sender, receiver),
      ...(outboundRule === null ? [noRule(sender, receiver, packet, 'outbound')] : []),
      ...(inboundRule === null ? [noRule(receiver, sender, packet, 'inbound')] : []),
    ],
    relays: relaysFor(sender, receiver),
  }
}

function noRule(own: Machine, peer: Machine, packet: Packet, side: 'inbound' | 'outbound'): Obstacle {
  const { protocol, port } = packet
  const groups = peer.certificates[0]?.groups ?? []
  const who = groups.length === 0 ? '(in no group)' : `(${groups.join(', ')})`
  const what = port === null ? protocol : `port ${port}/${protocol}`
  const direction = side === 'inbound' ? 'for' : 'to'
  return {
    code: side === 'inbound' ? 'NO_INBOUND_RULE' : 'NO_OUTBOUND_RULE',
    at: side === 'inbound' ? 'receiver' : 'sender',
    message: `no ${side} rule on ${own.name} ${direction} ${peer.name} ${who}, ${what}`,
  }
}

/** The receiver names its relays to the lighthouse; the sender uses them unless `use_relays` is false. */
function relaysFor(sender: Machine, receiver: Machine): string[] {
  const uses = textsAt(sender.config, ['relay', 'use_relays'])[0] !== 'false'
  const own = addressesOf(sender)
  return uses ? textsAt(receiver.config, ['relay', 'relays']).filter((address) => !own.includes(address)) : []
}
