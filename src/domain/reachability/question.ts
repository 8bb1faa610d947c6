import type { Packet } from '../../nebula/reachability/machine.ts'
import { machineOf } from '../../nebula/reachability/machine.ts'
import { decideReachability, type Reachability } from '../../nebula/reachability/reachability.ts'
import { assumedVersion, effectiveOf, type OwnFiles, type SharedFiles } from '../plan/actions.ts'

/** One of two nodes. */
interface Side {
  readonly name: string
  /** Nebula's release, as the node reported it; null if it never did. */
  readonly nebulaVersion: string | null
  readonly files: OwnFiles
}

/** A question about two nodes of a published bundle. Plain data, since it is sent to a thread. */
export interface ReachabilityQuestion {
  readonly shared: SharedFiles
  readonly sender: Side
  readonly receiver: Side
  readonly packet: Packet
  readonly now: Date
}

/** Answers it. Parsing a large configuration takes long: call it through `reachabilityInThread`. */
export function answerReachability({ shared, sender, receiver, packet, now }: ReachabilityQuestion): Reachability {
  const effective = effectiveOf(shared)
  const machine = ({ name, nebulaVersion, files }: Side) =>
    machineOf(name, assumedVersion(nebulaVersion), effective.of(files))
  return decideReachability(machine(sender), machine(receiver), packet, now)
}
