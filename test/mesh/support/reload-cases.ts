import { setTimeout as sleep } from 'node:timers/promises'

import type { HandNebula } from './hand-nebula.ts'
import { nothing, only, nobody, ping, not, show, denied, type ReloadCase } from './reload-case.ts'

/** Nebula's own figures, read from outside of it. */
const figures = { port: 9120, path: '/metrics' }
const withFigures = only({
  stats: {
    ...{ type: 'prometheus', listen: `0.0.0.0:${figures.port}`, path: figures.path, interval: '1s' },
    lighthouse_metrics: true,
  },
})

/** How many times a node has announced itself to a lighthouse, a second ago at the latest. */
async function announcements({ machine }: HandNebula): Promise<number> {
  const response = await fetch(`http://${machine.address}:${figures.port}${figures.path}`)
  const text = await response.text()
  return Number(/^lighthouse_tx_HostUpdateNotification (\d+)/m.exec(text)?.[1] ?? 0)
}

/** Whether it announces itself each second: at its start it does so once, whatever its interval. */
async function announcesOften(node: HandNebula): Promise<boolean> {
  const before = await announcements(node)
  await sleep(4000)
  return (await announcements(node)) >= before + 3
}

/** The changes that the agent reloads for, in the versions that it trusts with them (src/nebula/action.ts). */
export const reloadCases: readonly ReloadCase[] = [
  {
    setting: 'firewall.inbound',
    what: 'lets nothing in any more',
    before: nothing,
    after: only({ firewall: { inbound: nobody } }),
    prepare: ({ far, near }) => ping(far, near),
    inForce: ({ far, near }) => not(ping(far, near)),
  },
  {
    setting: 'firewall.outbound',
    what: 'lets nothing out any more',
    before: nothing,
    after: only({ firewall: { outbound: nobody } }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'firewall.default_local_cidr_any',
    what: 'closes the network behind the node',
    since: '1.9.0',
    before: ({ near, ca }) => ({ certificate: near.certificate(ca, { unsafeNetworks: ['10.77.0.0/24'] }).pem }),
    after: ({ near, ca }) => ({
      certificate: near.certificate(ca, { unsafeNetworks: ['10.77.0.0/24'] }).pem,
      settings: { firewall: { default_local_cidr_any: false } },
    }),
    far: only({ tun: { unsafe_routes: [{ route: '10.77.0.0/24', via: '10.99.0.2' }] } }),
    prepare: async ({ near, far }) => {
      await show(near, 'ip', 'addr', 'add', '10.77.0.1/32', 'dev', 'lo')
      await ping(far, '10.77.0.1')
    },
    inForce: ({ far }) => not(ping(far, '10.77.0.1')),
  },
  {
    setting: 'pki.blocklist',
    what: 'cuts a live tunnel',
    before: nothing,
    after: ({ far, ca }) => ({ settings: { pki: { blocklist: [far.certificate(ca).fingerprint] } } }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'pki.ca',
    what: 'a CA is trusted from now on',
    before: nothing,
    after: ({ bothCas }) => ({ ca: bothCas }),
    far: ({ far, otherCa, bothCas }) => ({ certificate: far.certificate(otherCa).pem, ca: bothCas }),
    tower: ({ bothCas }) => ({ ca: bothCas }),
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'pki.ca',
    what: 'a CA is trusted no more: live tunnels are cut',
    slow: true,
    before: ({ bothCas }) => ({ ca: bothCas }),
    after: nothing,
    far: ({ far, otherCa, bothCas }) => ({ certificate: far.certificate(otherCa).pem, ca: bothCas }),
    tower: ({ bothCas }) => ({ ca: bothCas }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'pki.cert',
    what: 'renewed; the others have blocked the old one',
    slow: true,
    before: nothing,
    after: ({ near, ca }) => ({
      certificate: near.certificate(ca, { notAfter: new Date(Date.now() + 7_200_000) }).pem,
    }),
    far: ({ near, ca }) => ({ settings: { pki: { blocklist: [near.certificate(ca).fingerprint] } } }),
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'static_host_map',
    what: 'the right address of a machine',
    before: ({ far }) => ({
      settings: { lighthouse: { hosts: [] }, static_host_map: { [far.overlayIp]: ['198.19.1.1:4242'] } },
    }),
    after: ({ far }) => ({
      settings: { lighthouse: { hosts: [] }, static_host_map: { [far.overlayIp]: [`${far.machine.address}:4242`] } },
    }),
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'static_host_map',
    what: 'the right address of the lighthouse',
    slow: true,
    before: ({ tower }) => ({ settings: { static_host_map: { [tower.overlayIp]: ['198.19.1.1:4242'] } } }),
    after: nothing,
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'lighthouse.hosts',
    what: 'the others can be found',
    before: only({ lighthouse: { hosts: [] } }),
    after: nothing,
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'lighthouse.hosts',
    what: 'the node can be found',
    slow: true,
    before: only({ lighthouse: { hosts: [], interval: 10 } }),
    after: only({ lighthouse: { interval: 10 } }),
    inForce: ({ far, near }) => ping(far, near),
  },
  {
    setting: 'lighthouse.interval',
    what: 'the node announces itself as often',
    before: () => ({ settings: { ...withFigures().settings, lighthouse: { interval: 60 } } }),
    after: withFigures,
    inForce: ({ near }) => announcesOften(near),
  },
  {
    setting: 'relay.relays',
    what: 'the node can be reached through it',
    slow: true,
    before: ({ far }) => ({ settings: denied(far.machine.address) }),
    after: ({ far, tower }) => ({ settings: { ...denied(far.machine.address), relay: { relays: [tower.overlayIp] } } }),
    far: ({ near }) => ({ settings: denied(near.machine.address) }),
    tower: only({ relay: { am_relay: true } }),
    inForce: ({ far, near }) => ping(far, near),
  },
  {
    setting: 'tun.mtu',
    what: 'the device has a larger one',
    before: nothing,
    after: only({ tun: { mtu: 1400 } }),
    inForce: async ({ near }) =>
      (await show(near, 'ip', 'link', 'show', 'overlay')).includes('mtu 1400') ||
      (await show(near, 'ip', 'route')).includes('mtu 1400'),
  },
  {
    setting: 'tun.unsafe_routes',
    what: 'a route is there',
    before: nothing,
    after: ({ far }) => ({ settings: { tun: { unsafe_routes: [{ route: '10.77.0.0/24', via: far.overlayIp }] } } }),
    inForce: async ({ near }) => (await show(near, 'ip', 'route')).includes('10.77.0.0/24'),
  },
  {
    setting: 'tun.unsafe_routes',
    what: 'a route is gone',
    slow: true,
    before: ({ far }) => ({ settings: { tun: { unsafe_routes: [{ route: '10.77.0.0/24', via: far.overlayIp }] } } }),
    after: nothing,
    inForce: async ({ near }) => !(await show(near, 'ip', 'route')).includes('10.77.0.0/24'),
  },
  {
    setting: 'logging.level',
    what: 'debug lines come',
    before: nothing,
    after: only({ logging: { level: 'debug' } }),
    inForce: async ({ near, far }) => {
      await ping(near, far)
      return near.lines.some(({ level }) => level.toLowerCase() === 'debug')
    },
  },
  {
    setting: 'tun.unsafe_routes',
    what: 'another gateway',
    before: ({ far }) => ({ settings: { tun: { unsafe_routes: [{ route: '10.78.0.0/24', via: far.overlayIp }] } } }),
    after: ({ third }) => ({ settings: { tun: { unsafe_routes: [{ route: '10.78.0.0/24', via: third.overlayIp }] } } }),
    third: ({ third, ca }) => ({ certificate: third.certificate(ca, { unsafeNetworks: ['10.78.0.0/24'] }).pem }),
    prepare: ({ third }) => show(third, 'ip', 'addr', 'add', '10.78.0.1/32', 'dev', 'lo'),
    inForce: ({ near }) => ping(near, '10.78.0.1'),
  },
  {
    setting: 'tun.mtu',
    what: 'the device has a smaller one',
    slow: true,
    before: only({ tun: { mtu: 1400 } }),
    after: nothing,
    inForce: async ({ near }) =>
      ((await show(near, 'ip', 'link', 'show', 'overlay')) + (await show(near, 'ip', 'route'))).includes('mtu 1300'),
  },
]
