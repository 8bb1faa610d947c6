import { setTimeout as sleep } from 'node:timers/promises'

import { eventually } from './pings.ts'
import { nothing, only, ping, not, everywhere, show, denied, type ReloadCase } from './reload-case.ts'
import type { ReloadScene } from './reload-scene.ts'

/** `near` tries to reach a machine that does not exist; returns whether it gives up within three seconds. */
async function givesUp({ near }: ReloadScene): Promise<boolean> {
  const seen = near.lines.length
  await ping(near, '10.99.0.77')
  await sleep(2500)
  return near.lines.slice(seen).some(({ msg }) => /timed out/i.test(msg))
}

/**
 * The changes that need a restart in every version: a reload has no effect, or none on live tunnels, or none visible.
 */
export const restartCases: readonly ReloadCase[] = [
  {
    setting: 'pki.disconnect_invalid',
    what: 'from now on, live tunnels are cut',
    before: only({ pki: { disconnect_invalid: false } }),
    after: ({ far, ca }) => ({ settings: { pki: { blocklist: [far.certificate(ca).fingerprint] } } }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'pki.cert',
    what: 'has a new group: live tunnels carry what it may',
    before: nothing,
    after: ({ near, ca }) => ({ certificate: near.certificate(ca, { groups: ['ops'] }).pem }),
    far: only({ firewall: { inbound: [{ port: 'any', proto: 'any', group: 'ops' }] } }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'lighthouse.remote_allow_list',
    what: 'allows another',
    before: ({ far }) => ({ settings: denied(far.machine.address) }),
    after: nothing,
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'lighthouse.remote_allow_list',
    what: 'allows them no more, live tunnels included',
    before: nothing,
    after: only({ lighthouse: { remote_allow_list: { [everywhere]: false } } }),
    prepare: ({ far, near }) => ping(near, far),
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'lighthouse.am_lighthouse',
    what: 'answers others',
    before: only({ lighthouse: { hosts: [], am_lighthouse: false } }),
    after: only({ lighthouse: { hosts: [], am_lighthouse: true } }),
    far: ({ near }) => ({
      settings: {
        lighthouse: { hosts: [near.overlayIp] },
        static_host_map: { [near.overlayIp]: [`${near.machine.address}:4242`] },
      },
    }),
    third: ({ near }) => ({
      settings: {
        lighthouse: { hosts: [near.overlayIp] },
        static_host_map: { [near.overlayIp]: [`${near.machine.address}:4242`] },
      },
    }),
    inForce: ({ far, third }) => ping(third, far),
  },
  {
    setting: 'listen.port',
    what: 'the socket has it',
    before: nothing,
    after: only({ listen: { port: 4300 } }),
    inForce: async ({ near }) => (await show(near, 'ss', '-uln')).includes(':4300'),
  },
  {
    setting: 'listen.host',
    what: 'the socket has it',
    before: nothing,
    after: ({ near }) => ({ settings: { listen: { host: near.machine.address } } }),
    inForce: async ({ near }) => (await show(near, 'ss', '-uln')).includes(`${near.machine.address}:4242`),
  },
  {
    setting: 'punchy.punch',
    what: 'is told (keeps a hole in a NAT open)',
    before: nothing,
    after: only({ punchy: { punch: true } }),
    inForce: ({ near }) =>
      Promise.resolve(near.lines.some(({ msg, level }) => msg.startsWith('punchy.punch') && level === 'info')),
  },
  {
    setting: 'punchy.respond',
    what: 'is told',
    before: nothing,
    after: only({ punchy: { respond: true } }),
    inForce: ({ near }) => Promise.resolve(near.lines.some(({ msg }) => msg.startsWith('punchy.respond'))),
  },
  {
    setting: 'punchy.delay',
    what: 'is told',
    before: nothing,
    after: only({ punchy: { delay: '2s' } }),
    inForce: ({ near }) => Promise.resolve(near.lines.some(({ msg }) => msg.startsWith('punchy.delay'))),
  },
  {
    setting: 'relay.use_relays',
    what: 'the node reaches through one',
    before: ({ far }) => ({ settings: { ...denied(far.machine.address), relay: { use_relays: false } } }),
    after: ({ far }) => ({ settings: { ...denied(far.machine.address), relay: { use_relays: true } } }),
    far: ({ near, tower }) => ({ settings: { ...denied(near.machine.address), relay: { relays: [tower.overlayIp] } } }),
    tower: only({ relay: { am_relay: true } }),
    inForce: ({ far, near }) => ping(near, far),
  },
  {
    setting: 'relay.am_relay',
    what: 'carries others',
    before: nothing,
    after: only({ relay: { am_relay: true } }),
    far: ({ near, third }) => ({ settings: { ...denied(third.machine.address), relay: { relays: [near.overlayIp] } } }),
    third: ({ far }) => ({ settings: denied(far.machine.address) }),
    inForce: ({ far, third }) => ping(third, far),
  },
  {
    setting: 'tun.dev',
    what: 'the device has it',
    before: nothing,
    after: only({ tun: { dev: 'another' } }),
    inForce: async ({ near }) => (await show(near, 'ip', 'link')).includes('another'),
  },
  {
    setting: 'handshakes.retries',
    what: 'a handshake is given up',
    before: only({
      static_host_map: { '10.99.0.77': ['198.19.1.1:4242'] },
      lighthouse: { hosts: [] },
      handshakes: { retries: 100 },
    }),
    after: only({
      static_host_map: { '10.99.0.77': ['198.19.1.1:4242'] },
      lighthouse: { hosts: [] },
      handshakes: { retries: 2 },
    }),
    inForce: givesUp,
  },
  {
    setting: 'cipher',
    what: 'packets of the other cipher are not understood',
    before: nothing,
    after: only({ cipher: 'chachapoly' }),
    unseen: true,
    inForce: ({ far, near }) => not(ping(near, far)),
  },
  {
    setting: 'preferred_ranges',
    what: 'is told',
    before: nothing,
    after: only({ preferred_ranges: ['198.18.0.0/15'] }),
    inForce: ({ near }) => Promise.resolve(near.lines.some(({ msg }) => msg.includes('preferred_ranges'))),
  },
  {
    setting: 'relay.am_relay',
    what: 'carries no more',
    before: only({ relay: { am_relay: true } }),
    after: nothing,
    far: ({ near, third }) => ({ settings: { ...denied(third.machine.address), relay: { relays: [near.overlayIp] } } }),
    third: ({ far }) => ({ settings: denied(far.machine.address) }),
    prepare: ({ far, third }) => eventually('third reaches far', () => ping(third, far), 10),
    inForce: ({ far, third }) => not(ping(third, far)),
  },
]
