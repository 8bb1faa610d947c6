import { describe, expect, test } from '@jest/globals'

import {
  parseCaCertificate,
  parseCaCertificates,
  parseCertificate,
  parseCertificates,
} from '../../src/pki/certificate.ts'
import { parseNodeCertificate } from '../support/node-certificate.ts'
import { version1 } from '../../src/pki/certificate-v1.ts'
import { version2 } from '../../src/pki/certificate-v2.ts'
import { derElement } from '../../src/pki/encoding/der.ts'
import type { CertificateFields, CertificateFormat } from '../../src/pki/format.ts'
import { readPemBlock, writePem } from '../../src/pki/encoding/pem.ts'
import { vector } from './nebula-cert.ts'
import { refusal } from './refusal.ts'

describe('what is no certificate is refused with the reason', () => {
  const node = vector('node-v1.crt')
  const bytes = Buffer.from(readPemBlock(node, 'certificate').bytes)
  const pem = (changed: Uint8Array, banner = 'NEBULA CERTIFICATE') => writePem({ banner, bytes: changed })

  test.each([
    ['nothing', '', 'certificate: is not in PEM form: a line "-----BEGIN NEBULA …-----" is missing'],
    ['prose', 'hello', 'certificate: line 1 is outside of a PEM block'],
    ['text after it', `${node}hello`, 'certificate: line 8 is outside of a PEM block'],
    ['two of them', node + node, 'certificate: holds 2 PEM blocks, one is wanted'],
    ['its end is cut', node.slice(0, -40), 'certificate: the line "-----END NEBULA CERTIFICATE-----" is missing'],
    [
      'its last line is missing',
      node.split('\n').slice(0, -2).join('\n'),
      'certificate: the line "-----END NEBULA CERTIFICATE-----" is missing',
    ],
    [
      'another end',
      node.replace('END NEBULA', 'END OTHER'),
      'certificate: line 7 ends "OTHER CERTIFICATE", but "NEBULA CERTIFICATE" was begun',
    ],
    [
      'two beginnings',
      node.replace('-----END', '-----BEGIN'),
      'certificate: line 7 begins a block before the end of "NEBULA CERTIFICATE"',
    ],
    ['no base64', node.replace('\nC', '\n!'), 'certificate: line 7 ends a block that is not valid base64'],
    [
      'an empty block',
      '-----BEGIN NEBULA CERTIFICATE-----\n-----END NEBULA CERTIFICATE-----\n',
      'certificate: line 2 ends a block of 0 bytes; 1 to 65536 are allowed',
    ],
    [
      'an X.509 certificate',
      pem(bytes, 'CERTIFICATE'),
      'certificate: "CERTIFICATE" is neither of "NEBULA CERTIFICATE", "NEBULA CERTIFICATE V2"',
    ],
    [
      'a private key',
      pem(bytes, 'NEBULA X25519 PRIVATE KEY'),
      'certificate: a private key stands where a certificate belongs: "NEBULA X25519 PRIVATE KEY" is neither of "NEBULA CERTIFICATE", "NEBULA CERTIFICATE V2"',
    ],
    [
      'P256, version 1',
      vector('ca-p256-v1.crt'),
      'certificate: is not a Nebula certificate: its curve is P256; only Curve25519 is supported',
    ],
    [
      'P256, version 2',
      vector('ca-p256-v2.crt'),
      'certificate: is not a Nebula certificate: its curve is P256; only Curve25519 is supported',
    ],
    ['cut off', pem(bytes.subarray(0, -1)), 'certificate: is not a Nebula certificate: it is cut off'],
    [
      'version 1 as version 2',
      pem(bytes, 'NEBULA CERTIFICATE V2'),
      'certificate: is not a Nebula certificate: it has no certificate where one belongs',
    ],
    [
      'an unknown field',
      pem(Buffer.concat([bytes, Buffer.from([0x18, 1])])),
      'certificate: is not a Nebula certificate: unknown field 3',
    ],
    [
      'a second, equal signature',
      pem(Buffer.concat([bytes, bytes.subarray(-66)])),
      'certificate: is not a Nebula certificate: it is not encoded as Nebula encodes it',
    ],
    ['no details', pem(bytes.subarray(-66)), 'certificate: is not a Nebula certificate: it gives its node no address'],
  ])('%s', (_what, text, reason) => {
    expect(refusal(() => parseCertificate(text))).toBe(reason)
  })

  const v2 = Buffer.from(readPemBlock(vector('node-v2.crt'), 'certificate').bytes)
  const fields = parseNodeCertificate(vector('node-v2.crt'))
  const details = Buffer.from(version2.encodeDetails(fields))
  const known = derElement(0x82, fields.publicKey)
  const signed = derElement(0x83, fields.signature)
  const later = derElement(0x88, Buffer.from('x'))

  test.each([
    ['cut off', v2.subarray(0, -1), 'it is cut off'],
    [
      'something after it',
      Buffer.concat([v2, Buffer.of(5, 0)]),
      'it holds something that this version of Orrery does not know',
    ],
    [
      'a field more',
      derElement(0x30, details, known, signed, later),
      'it holds something that this version of Orrery does not know',
    ],
    [
      'a detail more',
      derElement(0x30, derElement(0xa0, details.subarray(3), later), known, signed),
      'it holds something that this version of Orrery does not know',
    ],
    [
      'its curve stated',
      derElement(0x30, details, derElement(0x81, Buffer.of(0)), known, signed),
      'it is not encoded as Nebula encodes it',
    ],
    ['no public key', derElement(0x30, details, signed), 'it has no public key where one belongs'],
    [
      'a length of no end',
      Buffer.concat([Buffer.of(0x30, 0x80), v2.subarray(3), Buffer.of(0, 0)]),
      'a length is malformed',
    ],
    [
      'a length longer than it needs',
      Buffer.concat([Buffer.of(0x30, 0x82, 0), v2.subarray(2)]),
      'it is not encoded as Nebula encodes it',
    ],
  ])('version 2: %s', (_what, changed, reason) => {
    const text = pem(changed, 'NEBULA CERTIFICATE V2')
    expect(refusal(() => parseCertificate(text))).toBe(`certificate: is not a Nebula certificate: ${reason}`)
  })

  const crafted = (format: CertificateFormat, changed: Partial<CertificateFields>, signature = fields.signature) => {
    const { networks, unsafeNetworks } = parseNodeCertificate(vector('node-v1.crt'))
    const all = { ...fields, networks, unsafeNetworks, ...changed }
    const encoded = format.encodeDetails(all)
    return writePem({ banner: format.banner, bytes: format.encode(encoded, all.publicKey, signature) })
  }

  describe.each([version1, version2])('version $version, encoded well', (format) => {
    test('and saying nothing wrong', () => {
      expect(parseCertificate(crafted(format, {})).name).toBe('web-1')
    })

    test.each([
      [
        'a CA that another CA signed',
        { isCa: true },
        'is not a Nebula certificate: a CA that another CA signed does not exist in Nebula',
      ],
      ['a node that no CA signed', { issuer: null }, 'is not a Nebula certificate: it names no issuer'],
      ['a short issuer', { issuer: 'ab'.repeat(31) }, 'is not a Nebula certificate: its issuer is not a SHA-256'],
      ['a node without an address', { networks: [] }, 'is not a Nebula certificate: it gives its node no address'],
      [
        'its end before its beginning',
        { notAfter: new Date(0) },
        'is not a Nebula certificate: it ends before it begins',
      ],
      ['a short public key', { publicKey: new Uint8Array(31) }, "has a public key of 31 bytes, X25519's have 32"],
      [
        'a short public key of a CA',
        { publicKey: new Uint8Array(31), isCa: true, issuer: null },
        "has a public key of 31 bytes, Ed25519's have 32",
      ],
      [
        'a public key of low order',
        { publicKey: new Uint8Array(32) },
        'has a public key that no X25519 key pair has (a point of low order)',
      ],
    ] as const)('but %s', (_what, changed, reason) => {
      expect(refusal(() => parseCertificate(crafted(format, changed)))).toBe(`certificate: ${reason}`)
    })

    test('but a short signature', () => {
      const text = crafted(format, {}, fields.signature.subarray(1))
      expect(refusal(() => parseCertificate(text))).toBe(
        "certificate: is not a Nebula certificate: its signature has 63 bytes, Ed25519's have 64",
      )
    })
  })

  test('a time before 1970', () => {
    const negative = Buffer.from('28ffffffffffffffffff01', 'hex')
    const bytesOfIt = version1.encode(negative, new Uint8Array(), fields.signature)
    expect(refusal(() => parseCertificate(pem(bytesOfIt)))).toBe(
      'certificate: is not a Nebula certificate: a number is negative or too large',
    )
  })

  test('no certificate at all where several may stand', () => {
    expect(refusal(() => parseCertificates('# empty\n'))).toBe('certificate: holds no PEM block "NEBULA CERTIFICATE"')
  })

  test("a node's where a CA's belongs", () => {
    expect(refusal(() => parseCaCertificate(node))).toBe(`certificate: of "web-1" is a node's, a CA's is wanted`)
    expect(refusal(() => parseCaCertificates(vector('ca-v1.crt') + node))).toBe(
      `certificate: of "web-1" is a node's, a CA's is wanted`,
    )
  })

  test('Windows line ends, indentation and comments are no reason', () => {
    const relaxed = `# our node\r\n${node.replaceAll('\n', '\r\n').replaceAll(/^/gm, '    ')}\r\n`
    expect(parseCertificate(relaxed).pem).toBe(node)
  })
})
