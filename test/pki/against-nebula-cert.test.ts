import { expect, test } from '@jest/globals'

import { createCa, exportCaKey, importCa, type CertificateAuthority } from '../../src/pki/ca.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { formatPublicKey, generateNodeKeyPair, parseNodeKeyPair, parsePublicKey } from '../../src/pki/keys.ts'
import { signNode, type NodeCertificateRequest } from '../../src/pki/sign.ts'
import { verifyNode } from '../../src/pki/verify.ts'
import { describeWithNebulaCert, type Workshop } from './nebula-cert.ts'
import { refusalOf } from './refusal.ts'

const now = new Date()
const inDays = (days: number) => new Date(now.getTime() + days * 86_400_000)

const request = (ca: CertificateAuthority, fields: Partial<NodeCertificateRequest> = {}): NodeCertificateRequest => ({
  version: 1,
  name: 'web-1',
  networks: ['10.42.3.7/16'],
  unsafeNetworks: [],
  groups: [],
  notBefore: ca.certificate.notBefore,
  notAfter: inDays(30),
  publicKey: generateNodeKeyPair().publicKey,
  ...fields,
})

const ourCa = (fields: Partial<Parameters<typeof createCa>[0]> = {}) =>
  createCa({
    version: 1,
    name: 'Orrery',
    notBefore: new Date(now.getTime() - 60_000),
    notAfter: inDays(3650),
    networks: ['10.42.0.0/16'],
    unsafeNetworks: [],
    groups: [],
    ...fields,
  })

/** Flags of `nebula-cert ca`, of `nebula-cert sign`. */
const cases: readonly [string, readonly string[], readonly string[]][] = [
  ['no limits, nothing but an address', [], ['-ip', '10.42.0.5/16']],
  ['networks', ['-ips', '10.42.0.0/16,10.43.0.0/17'], ['-ip', '10.43.127.255/17']],
  [
    'routes',
    ['-subnets', '192.168.0.0/16,0.0.0.0/1'],
    ['-ip', '1.2.3.4/32', '-subnets', '192.168.9.77/24,127.0.0.0/8'],
  ],
  ['the default route', [], ['-ip', '255.255.255.254/1', '-subnets', '0.0.0.0/0']],
  ['groups', ['-groups', 'a,b,büro,日本'], ['-ip', '10.0.0.1/8', '-groups', '日本,b']],
  ['a long name', ['-name', 'x'.repeat(253)], ['-ip', '10.0.0.1/8', '-name', 'é'.repeat(120)]],
  ['many groups', [], ['-ip', '10.0.0.1/8', '-groups', Array.from({ length: 200 }, (_, i) => `group-${i}`).join()]],
  ['a short life', ['-duration', '1h'], ['-ip', '10.0.0.1/8', '-duration', '1m']],
]

describeWithNebulaCert('beside nebula-cert', (workshop) => {
  test.each(cases)(
    '%s: CA and node are read, verified and written again as the same bytes',
    async (title, caFlags, signFlags) => {
      const ca = await makeCa(workshop(), title, caFlags)
      const pem = sign(workshop(), title, signFlags)
      const node = parseNodeCertificate(pem)

      expect(ca.certificate.pem).toBe(workshop().read(`${title}.crt`))
      expect(exportCaKey(ca)).toBe(workshop().read(`${title}.key`))
      expect(node.pem).toBe(pem)
      verifyNode(node, [ca.certificate], new Date())
      expect(signNode(ca, node).pem).toBe(pem)
      const printed = details(workshop(), `${title} node.crt`)
      expect([node.fingerprint, node.issuer]).toEqual([printed.fingerprint, printed.details.issuer])
      expect([node.networks, node.unsafeNetworks, node.groups]).toEqual([
        printed.details.ips,
        printed.details.subnets,
        printed.details.groups,
      ])
    },
  )

  test('it verifies what we sign under our own CA, and prints what we say', () => {
    const ca = ourCa({ groups: ['web', 'büro'], unsafeNetworks: ['192.168.0.0/16'] })
    const node = signNode(ca, request(ca, { groups: ['büro'], unsafeNetworks: ['192.168.7.0/24', '192.168.5.0/25'] }))
    workshop().write('our-ca.crt', ca.certificate.pem)
    workshop().write('our-node.crt', node.pem)

    expect(workshop().run('verify', '-ca', 'our-ca.crt', '-crt', 'our-node.crt')).toBe('')
    expect(details(workshop(), 'our-ca.crt').fingerprint).toBe(ca.certificate.fingerprint)
    expect(details(workshop(), 'our-node.crt')).toMatchObject({
      details: {
        name: 'web-1',
        ips: ['10.42.3.7/16'],
        subnets: ['192.168.7.0/24', '192.168.5.0/25'],
        groups: ['büro'],
        isCa: false,
        issuer: ca.certificate.fingerprint,
        publicKey: Buffer.from(node.publicKey).toString('hex'),
      },
      fingerprint: node.fingerprint,
      signature: Buffer.from(node.signature).toString('hex'),
    })
  })

  test('it signs with the CA key that we write', () => {
    const ca = ourCa()
    workshop().write('signing-ca.crt', ca.certificate.pem)
    workshop().write('signing-ca.key', exportCaKey(ca))
    workshop().run(
      'sign',
      '-ca-crt',
      'signing-ca.crt',
      '-ca-key',
      'signing-ca.key',
      '-name',
      'n',
      '-ip',
      '10.42.0.9/16',
    )
    expect(verifyNode(parseNodeCertificate(workshop().read('n.crt')), [ca.certificate], inDays(1))).toBe(ca.certificate)
  })

  test('it signs the public key that we write, and we read the key pair that it makes', () => {
    const ca = ourCa()
    const ours = generateNodeKeyPair()
    workshop().write('keys-ca.crt', ca.certificate.pem)
    workshop().write('keys-ca.key', exportCaKey(ca))
    workshop().write('ours.pub', formatPublicKey(ours.publicKey))
    const flags = ['-ca-crt', 'keys-ca.crt', '-ca-key', 'keys-ca.key', '-name', 'ours', '-ip', '10.42.0.9/16']
    workshop().run('sign', ...flags, '-in-pub', 'ours.pub')
    expect(Buffer.compare(parseNodeCertificate(workshop().read('ours.crt')).publicKey, ours.publicKey)).toBe(0)

    workshop().run('keygen', '-out-key', 'theirs.key', '-out-pub', 'theirs.pub')
    const theirs = parseNodeKeyPair(workshop().read('theirs.key'))
    expect(theirs.publicKey).toEqual(parsePublicKey(workshop().read('theirs.pub')))
    expect(formatPublicKey(theirs.publicKey)).toBe(workshop().read('theirs.pub'))
    expect(theirs.privateKeyPem).toBe(workshop().read('theirs.key'))
  })

  test('it refuses what we refuse: a certificate that another CA signed', () => {
    const [ca, other] = [ourCa(), ourCa()]
    workshop().write('ca.crt', ca.certificate.pem)
    workshop().write('foreign.crt', signNode(other, request(other)).pem)
    expect(() => workshop().run('verify', '-ca', 'ca.crt', '-crt', 'foreign.crt')).toThrow()
  })

  test("two CAs' files mixed up are refused", async () => {
    await makeCa(workshop(), 'one', [])
    await makeCa(workshop(), 'two', [])
    const mixed = importCa(workshop().read('one.crt'), workshop().read('two.key'), null)
    expect(await refusalOf(mixed)).toBe('key: is not the one that belongs to the certificate of "one"')
  })
})

function makeCa(workshop: Workshop, name: string, flags: readonly string[]): Promise<CertificateAuthority> {
  const names = flags.includes('-name') ? [] : ['-name', name]
  workshop.run('ca', ...names, '-out-crt', `${name}.crt`, '-out-key', `${name}.key`, ...flags)
  return importCa(workshop.read(`${name}.crt`), workshop.read(`${name}.key`), null)
}

function sign(workshop: Workshop, ca: string, flags: readonly string[]): string {
  const names = flags.includes('-name') ? [] : ['-name', 'node']
  const out = ['-out-crt', `${ca} node.crt`, '-out-key', `${ca} node.key`]
  workshop.run('sign', '-ca-crt', `${ca}.crt`, '-ca-key', `${ca}.key`, ...names, ...out, ...flags)
  return workshop.read(`${ca} node.crt`)
}

interface Printed {
  readonly details: {
    readonly issuer: string
    readonly ips: readonly string[]
    readonly subnets: readonly string[]
    readonly groups: readonly string[]
  }
  readonly fingerprint: string
  readonly signature: string
}

const details = (workshop: Workshop, file: string): Printed =>
  JSON.parse(workshop.run('print', '-json', '-path', file)) as Printed
