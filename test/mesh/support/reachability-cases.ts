import type { ObstacleCode } from '../../../src/nebula/reachability/machine.ts'
import { denied, nobody, nothing, only, show, type Given } from './reload-case.ts'
import type { ReloadScene } from './reload-scene.ts'

/** A situation of the machines `near` and `far`; `near` sends a ping to `far`, or to an address behind it. */
export interface ReachabilityCase {
  readonly title: string
  /** Why it does not arrive; empty when it does. */
  readonly obstacles: readonly ObstacleCode[]
  /** Called once for each trial, as are the others. */
  readonly near: (scene: ReloadScene) => Given
  readonly far: (scene: ReloadScene) => Given
  readonly tower?: (scene: ReloadScene) => Given
  /** The address behind `far` that is asked; its own overlay address by default. */
  readonly behind?: string
  /** Before the ping, such as to wait for the end of a certificate. */
  readonly prepare?: (scene: ReloadScene) => Promise<unknown>
}

const network = '10.77.0.0/24'
const behind = '10.77.0.1'
const routed = (...routes: { route: string; via: string }[]) => only({ tun: { unsafe_routes: routes } })
const viaFar = { route: network, via: '10.99.0.3' }
const viaThird = { route: '10.77.0.0/28', via: '10.99.0.4' }
const gateway = ({ far, ca }: ReloadScene): Given => ({
  certificate: far.certificate(ca, { unsafeNetworks: [network] }).pem,
})
const ofGroup =
  (...groups: string[]) =>
  ({ near, ca }: ReloadScene): Given => ({ certificate: near.certificate(ca, { groups }).pem })
const inboundFor = (rule: object) => only({ firewall: { inbound: [{ port: 'any', proto: 'icmp', ...rule }] } })
const hasAddress = ({ far }: ReloadScene) => show(far, 'ip', 'addr', 'add', `${behind}/32`, 'dev', 'lo')

/** Seconds that the certificate of a case is valid. */
const shortLife = 6

export const reachabilityCases: readonly ReachabilityCase[] = [
  { title: 'nothing is in the way', obstacles: [], near: nothing, far: nothing },
  {
    title: 'the sender has no rule for it',
    obstacles: ['NO_OUTBOUND_RULE'],
    near: only({ firewall: { outbound: nobody } }),
    far: nothing,
  },
  {
    title: 'the receiver has no rule for it',
    obstacles: ['NO_INBOUND_RULE'],
    near: nothing,
    far: only({ firewall: { inbound: nobody } }),
  },
  {
    title: 'both are in the way',
    obstacles: ['NO_OUTBOUND_RULE', 'NO_INBOUND_RULE'],
    near: only({ firewall: { outbound: nobody } }),
    far: only({ firewall: { inbound: nobody } }),
  },
  {
    title: 'a group that the sender has',
    obstacles: [],
    near: ofGroup('web', 'ops'),
    far: inboundFor({ group: 'ops' }),
  },
  {
    title: 'a group that the sender does not have',
    obstacles: ['NO_INBOUND_RULE'],
    near: ofGroup('web'),
    far: inboundFor({ group: 'ops' }),
  },
  {
    title: 'the receiver revoked the sender',
    obstacles: ['BLOCKED'],
    near: nothing,
    far: ({ near, ca }) => ({ settings: { pki: { blocklist: [near.certificate(ca).fingerprint] } } }),
  },
  {
    title: 'the sender revoked the receiver',
    obstacles: ['BLOCKED'],
    near: ({ far, ca }) => ({ settings: { pki: { blocklist: [far.certificate(ca).fingerprint] } } }),
    far: nothing,
  },
  {
    title: 'the receiver does not trust the sender’s CA',
    obstacles: ['CA_NOT_TRUSTED'],
    near: ({ near, otherCa, bothCas }) => ({ ca: bothCas, certificate: near.certificate(otherCa).pem }),
    far: nothing,
    tower: ({ bothCas }) => ({ ca: bothCas }),
  },
  {
    title: 'the receiver trusts the sender’s other CA',
    obstacles: [],
    near: ({ near, otherCa, bothCas }) => ({ ca: bothCas, certificate: near.certificate(otherCa).pem }),
    far: ({ bothCas }) => ({ ca: bothCas }),
    tower: ({ bothCas }) => ({ ca: bothCas }),
  },
  {
    title: 'the sender does not trust the receiver’s CA',
    obstacles: ['CA_NOT_TRUSTED'],
    near: nothing,
    far: ({ far, otherCa, bothCas }) => ({ ca: bothCas, certificate: far.certificate(otherCa).pem }),
    tower: ({ bothCas }) => ({ ca: bothCas }),
  },
  {
    title: 'the sender asks no lighthouse',
    obstacles: ['NOT_FOUND'],
    near: only({ lighthouse: { hosts: [] } }),
    far: nothing,
  },
  {
    title: 'the receiver tells no lighthouse',
    obstacles: ['NOT_FOUND'],
    near: nothing,
    far: only({ lighthouse: { hosts: [] } }),
  },
  {
    title: 'the sender knows the receiver without a lighthouse',
    obstacles: [],
    near: ({ far }) => ({
      settings: {
        lighthouse: { hosts: [] },
        static_host_map: { [far.overlayIp]: [`${far.machine.address}:4242`] },
      },
    }),
    far: only({ lighthouse: { hosts: [] } }),
  },
  {
    title: 'a relay carries it',
    obstacles: [],
    near: ({ far }) => ({ settings: denied(far.machine.address) }),
    far: ({ near, tower }) => ({
      settings: { ...denied(near.machine.address), relay: { relays: [tower.overlayIp] } },
    }),
    tower: only({ relay: { am_relay: true } }),
  },
  { title: 'an address behind it', obstacles: [], near: routed(viaFar), far: gateway, behind, prepare: hasAddress },
  {
    title: 'an address behind it, without a route',
    obstacles: ['NO_ROUTE'],
    near: nothing,
    far: gateway,
    behind,
    prepare: hasAddress,
  },
  {
    title: 'an address behind it, with a more specific route elsewhere',
    obstacles: ['NO_ROUTE'],
    near: routed(viaFar, viaThird),
    far: gateway,
    behind,
    prepare: hasAddress,
  },
  {
    title: 'an address behind it that its certificate does not name',
    obstacles: ['NOT_BEHIND'],
    near: routed(viaFar),
    far: nothing,
    behind,
    prepare: hasAddress,
  },
  {
    title: 'the receiver’s certificate has ended',
    obstacles: ['CERTIFICATE_NOT_VALID'],
    near: nothing,
    far: ({ far, ca }) => ({
      certificate: far.certificate(ca, { notAfter: new Date(Date.now() + shortLife * 1000) }).pem,
    }),
    prepare: () => new Promise((resolve) => setTimeout(resolve, (shortLife + 2) * 1000)),
  },
]
