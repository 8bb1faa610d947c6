import { describe, expect, test } from '@jest/globals'

import { importCa } from '../../src/pki/ca.ts'
import {
  originsOf,
  parseCaCertificate,
  parseCaCertificates,
  parseCertificate,
  parseCertificates,
} from '../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { version2 } from '../../src/pki/certificate-v2.ts'
import { signNode } from '../../src/pki/sign.ts'
import { verifyCa, verifyNode } from '../../src/pki/verify.ts'
import { vector } from './nebula-cert.ts'
import { refusal } from './refusal.ts'

/** Fingerprints as `nebula-cert print -json` of 1.11.0 gives them. */
const fingerprints = {
  'ca-v1.crt': '7782aea2ecc653b4c0641279d381f21158f913a8fba9092c5e98467c3369c686',
  'ca-v2.crt': 'c8f0fa489acb379a261c1373804586757c8719e56a398c4b3b2f60c220150b4b',
  'node-v1.crt': 'a7c38fbc9f652bb95c16c895144a62f3bfa3e31fcf168a8fbcd6fe1606b480a7',
  'node-v2-of-ca-v1.crt': '4d9bf1299ad09a6125017f9e0765acf100f6187d1e41bf375315a93f14cc7953',
  'node-v2-small.crt': 'ace87f713739a9605c8559bc34859196714f6275e5222c32307538f03e3442b8',
  'node-v2.crt': '257406027d4ce101750740a77ff5bcac64bbc8a4f41bb39ca480a5f9c54ef733',
}
const at = new Date('2026-12-01T00:00:00Z')

describe('certificates that nebula-cert made', () => {
  test.each(Object.entries(fingerprints))(
    '%s: same fingerprint, and written again the same bytes',
    (name, fingerprint) => {
      const certificate = parseCertificate(vector(name))
      expect(certificate.fingerprint).toBe(fingerprint)
      expect(certificate.pem).toBe(vector(name))
    },
  )

  test('say who signed them without being checked whole, the same', () => {
    const all = Object.keys(fingerprints).map(vector).join('')
    const whole = parseCertificates(all).map(({ version, issuer }) => ({ version, issuer }))
    expect(originsOf(all)).toEqual(whole)
  })

  test('say what was asked of nebula-cert', () => {
    expect(parseNodeCertificate(vector('node-v1.crt'))).toMatchObject({
      version: 1,
      name: 'web-1',
      networks: ['10.42.0.5/16'],
      unsafeNetworks: ['192.168.9.0/24', '192.168.0.0/24'],
      groups: ['servers', 'büro'],
      notBefore: new Date('2026-11-22T22:41:49Z'),
      notAfter: new Date('2126-10-29T22:41:48Z'),
      isCa: false,
      issuer: fingerprints['ca-v1.crt'],
    })
    expect(parseNodeCertificate(vector('node-v2.crt'))).toMatchObject({
      version: 2,
      name: 'web-1',
      networks: ['10.42.0.5/16', 'fd42::5/16'],
      unsafeNetworks: ['10.9.0.0/16', '192.168.9.0/24', '2001:db8::/32'],
      groups: ['servers', 'büro'],
      issuer: fingerprints['ca-v2.crt'],
    })
    expect(parseCaCertificate(vector('ca-v2.crt'))).toMatchObject({
      networks: ['10.42.0.0/16', 'fd42::/16'],
      isCa: true,
      issuer: null,
    })
  })

  test.each([
    ['node-v1.crt', 'ca-v1.crt'],
    ['node-v2.crt', 'ca-v2.crt'],
    ['node-v2-small.crt', 'ca-v2.crt'],
    ['node-v2-of-ca-v1.crt', 'ca-v1.crt'],
  ])('%s is verified against %s, wherever that stands among the CAs', (node, ca) => {
    const cas = parseCaCertificates(`# what we trust\n\n${vector('ca-v1.crt')}\n# and\n${vector('ca-v2.crt')}`)
    expect(verifyNode(parseNodeCertificate(vector(node)), cas, at).pem).toBe(vector(ca))
  })

  test.each(['node-v2.crt', 'node-v2-small.crt'])(
    '%s: the same fields signed with the same key are the same bytes',
    async (name) => {
      const ca = await importCa(vector('ca-v2.crt'), vector('TEST-ONLY-ca-v2.encrypted.key'), 'test only', at)
      const { networks, ...theirs } = parseNodeCertificate(vector(name))
      expect(signNode(ca, { ...theirs, networks: networks.toReversed() }).pem).toBe(vector(name))
    },
  )

  test("version 2's details are the bytes that Nebula's own tests hold fast", () => {
    // TestCertificateV2_marshalForSigningStability in slackhq/nebula cert/cert_v2_test.go.
    const details = version2.encodeDetails({
      name: 'testing',
      networks: ['10.1.1.2/16', '10.1.1.1/24'],
      unsafeNetworks: ['9.1.1.3/16', '9.1.1.2/24'],
      groups: ['test-group1', 'test-group2', 'test-group3'],
      notBefore: new Date('1996-05-05T00:00:00Z'),
      notAfter: new Date('1996-05-05T00:01:00Z'),
      isCa: false,
      issuer: '1234567890abcdef1234567890abcdef',
      publicKey: new Uint8Array(32),
    })
    expect(Buffer.from(details).toString('hex')).toBe(
      'a070800774657374696e67a10e04050a0101021004050a01010118a20e0405090101031004050901010218a3270c0b746573742d67726f7570' +
        '310c0b746573742d67726f7570320c0b746573742d67726f7570338504318bef808604318befbc87101234567890abcdef1234567890abcdef',
    )
  })
})

describe('a certificate that must not be trusted is refused', () => {
  const cas = [parseCaCertificate(vector('ca-v1.crt')), parseCaCertificate(vector('ca-v2.crt'))]
  const nodes = ['node-v1.crt', 'node-v2.crt'].map((name) => parseNodeCertificate(vector(name)))

  test.each(nodes)('version $version: one bit of what was signed changed', (node) => {
    const renamed = { ...node, name: 'web-2' }
    expect(refusal(() => verifyNode(renamed, cas, at))).toMatch(
      /^certificate: of "web-2" is not signed by the CA that it names/,
    )
    const signature = Buffer.from(node.signature)
    signature[0] = (signature[0] ?? 0) ^ 1
    expect(refusal(() => verifyNode({ ...node, signature }, cas, at))).toMatch(/is not signed by the CA/)
  })

  test.each(nodes)('version $version: a CA that is not trusted signed it', (node) => {
    const others = cas.filter((ca) => ca.fingerprint !== node.issuer)
    expect(refusal(() => verifyNode(node, others, at))).toBe(
      `certificate: of "web-1" is signed by ${node.issuer}, no CA given here`,
    )
  })

  test('before and after its time, to the second', () => {
    const node = parseNodeCertificate(vector('node-v2-small.crt'))
    expect(verifyNode(node, cas, node.notBefore)).toBe(cas[1])
    expect(verifyNode(node, cas, node.notAfter)).toBe(cas[1])
    const [early, late] = [new Date(node.notBefore.getTime() - 1000), new Date(node.notAfter.getTime() + 1000)]
    expect(refusal(() => verifyNode(node, cas, late))).toBe(
      'certificate: of "small" expired at 2026-12-22T22:41:49.000Z',
    )
    expect(refusal(() => verifyNode(node, cas, early))).toBe(
      'certificate: of the CA "TEST ONLY version 2" is not valid before 2026-11-22T22:41:49.000Z',
    )
    expect(refusal(() => verifyNode(node, cas, new Date('2130-01-01')))).toMatch(
      /^certificate: of the CA .* expired at 2126/,
    )
  })

  test('a CA that did not sign itself', () => {
    for (const ca of cas) {
      expect(refusal(() => verifyCa({ ...ca, groups: [] }, at))).toBe(
        `certificate: of the CA "${ca.name}" is not signed by its own key`,
      )
    }
  })
})
