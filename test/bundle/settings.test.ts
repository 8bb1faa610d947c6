import { describe, expect, test } from '@jest/globals'
import { AGENT_SETTINGS } from '../../src/nebula/settings.ts'
import { bundleOf, configOf, refusal } from './support.ts'

async function configRefusal(content: string): Promise<string> {
  return refusal(await configOf(content))
}

describe('what belongs to the agent is refused', () => {
  test.each(AGENT_SETTINGS.map(({ path, reason }) => [path.join('.'), path, reason] as const))(
    '%s, with the reason',
    async (name, path, reason) => {
      const yaml = path.reduceRight<string>((inner, key) => `{${key}: ${inner}}`, '"/etc/shadow"')
      const message = await configRefusal(`before: 1\nother: ${yaml}\n`)
      expect(message).toBe('accepted: config.yml')
      expect(await configRefusal(`before: 1\n${yaml.slice(1, -1)}\n`)).toMatch(
        new RegExp(`^ValidationError: input.archive: config.yml: line 2 sets ${name}\\b.*, which the agent decides: `),
      )
      expect(await configRefusal(`${yaml.slice(1, -1)}\n`)).toContain(reason)
    },
  )

  test.each([
    ['in braces', 'pki: {key: /etc/shadow}\n'],
    ['in quotes and escapes', '"p\\x6bi":\n  \'key\': /etc/shadow\n'],
    ['in the long form of keys', '? pki\n: ? key\n  : /etc/shadow\n'],
    ['through an alias', 'x: &x {key: /etc/shadow}\npki: *x\n'],
    ['as an alias', 'x: &x /etc/shadow\npki:\n  key: *x\n'],
    ['as an empty text', 'pki: {key: ""}\n'],
    ['as a certificate in place', 'pki:\n  key: |\n    -----BEGIN NEBULA CERTIFICATE-----\n'],
  ])('%s', async (_, content) => {
    expect(await configRefusal(content)).toContain('sets pki.key, which the agent decides')
  })

  test('in any file, since Nebula merges them', async () => {
    for (const name of ['nodes/a.yml', 'extra/sshd.yaml']) {
      const archive = await bundleOf({ name, content: 'tun: {}\nsshd:\n  enabled: true\n' })
      expect(await refusal(archive)).toContain(`${name}: line 2 sets sshd, which the agent decides: it opens a shell`)
    }
  })
})

test('what shapes the network is not refused', async () => {
  const config = `
pki:
  blocklist: [c99d4e650533b92061b09918e838a5a0a6aaee21eed1d12fd937682865936c72]
  disconnect_invalid: true
static_host_map:
  "10.42.0.1": ["203.0.113.7:4242"]
lighthouse: {am_lighthouse: false, hosts: [10.42.0.1], serve_dns: false}
listen: {host: "::", port: 4242}
relay: {relays: [10.42.0.2], use_relays: true}
tun: {dev: nebula1, mtu: 1300, unsafe_routes: [{route: 192.168.7.0/24, via: 10.42.0.3}]}
logging: {level: debug, format: json}
sshd:
  # enabled: true
firewall:
  outbound: [{port: any, proto: any, host: any}]
  inbound: [{port: 443, proto: tcp, groups: [laptop]}]
`
  expect(await configRefusal(config)).toBe('accepted: config.yml')
})

test('the log keeps what the agent reads', async () => {
  expect(await configRefusal('logging: {level: error}\n')).toContain(
    'line 1 sets logging.level to something other than info, debug, trace',
  )
  expect(await configRefusal('logging: {format: text}\n')).toContain('sets logging.format to something other than json')
})
