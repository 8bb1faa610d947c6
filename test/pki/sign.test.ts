import { describe, expect, test } from '@jest/globals'

import { createCa } from '../../src/pki/ca.ts'
import { issue } from '../../src/pki/certificate.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode, validityFrom, type NodeCertificateRequest } from '../../src/pki/sign.ts'
import { signBytes } from '../../src/pki/signing-key.ts'
import { verifyNode } from '../../src/pki/verify.ts'
import { refusal } from './refusal.ts'

const day = 86_400_000
const now = new Date('2026-12-01T12:00:00Z')
const [begin, end] = [new Date(now.getTime() - day), new Date(now.getTime() + 3650 * day)]
const unlimited = { name: 'CA', notBefore: begin, notAfter: end, networks: [], unsafeNetworks: [], groups: [] }
const free = createCa({ ...unlimited, version: 2 })
const limited = createCa({
  ...unlimited,
  version: 2,
  networks: ['10.42.0.0/16', 'fd42::/16'],
  unsafeNetworks: ['192.168.0.0/16'],
  groups: ['web', 'db'],
})
const { publicKey } = generateNodeKeyPair()

const request = (changed: Partial<NodeCertificateRequest> = {}): NodeCertificateRequest => ({
  version: 1,
  name: 'web-1',
  networks: ['10.42.0.5/16'],
  unsafeNetworks: [],
  groups: [],
  notBefore: now,
  notAfter: new Date(now.getTime() + 30 * day),
  publicKey,
  ...changed,
})

describe("a node's certificate", () => {
  test.each([1, 2] as const)('version %i: is what its CA signs, for what was asked', (version) => {
    const node = signNode(limited, request({ version, groups: ['web'], unsafeNetworks: ['192.168.7.0/24'] }))
    expect(verifyNode(node, [free.certificate, limited.certificate], now)).toBe(limited.certificate)
    expect(node).toMatchObject({ version, groups: ['web'], unsafeNetworks: ['192.168.7.0/24'], isCa: false })
  })

  test('is the same for the same request, whoever asks', () => {
    expect(signNode(limited, request()).pem).toBe(signNode(limited, request()).pem)
  })

  test('holds whole seconds, and networks as they are written canonically', () => {
    const node = signNode(
      free,
      request({ version: 2, networks: ['FD42:0:0::5/16', '10.42.0.5/16'], notBefore: new Date(now.getTime() + 999) }),
    )
    expect(node.networks).toEqual(['10.42.0.5/16', 'fd42::5/16'])
    expect(node.notBefore).toEqual(now)
  })

  test.each([
    [
      { networks: ['10.43.0.5/16'] },
      'networks: 10.43.0.5/16 is outside of what the CA allows: 10.42.0.0/16, fd42::/16',
    ],
    [
      { networks: ['10.42.0.5/15'] },
      'networks: 10.42.0.5/15 is outside of what the CA allows: 10.42.0.0/16, fd42::/16',
    ],
    [
      { version: 2, networks: ['10.42.0.5/16', 'fd43::5/16'] },
      'networks: fd43::5/16 is outside of what the CA allows: 10.42.0.0/16, fd42::/16',
    ],
    [{ unsafeNetworks: ['10.0.0.0/8'] }, 'unsafeNetworks: 10.0.0.0/8 is outside of what the CA allows: 192.168.0.0/16'],
    [
      { unsafeNetworks: ['192.168.0.0/15'] },
      'unsafeNetworks: 192.168.0.0/15 is outside of what the CA allows: 192.168.0.0/16',
    ],
    [{ groups: ['web', 'root'] }, `groups: "root" is not one of the CA's: web, db`],
    [{ notBefore: new Date(begin.getTime() - 1000) }, `validity: begins before the CA's own: 2026-11-30T12:00:00.000Z`],
    [{ notAfter: new Date(end.getTime() + 1000) }, `validity: ends after the CA's own: 2036-11-28T12:00:00.000Z`],
  ] as const)("%j oversteps the CA's limits", (changed, reason) => {
    expect(refusal(() => signNode(limited, request(changed)))).toBe(reason)
  })

  test.each([
    [{ networks: [] }, 'networks: a node needs an address'],
    [{ networks: ['10.42.0.5/16', '10.42.0.6/16'] }, 'networks: a certificate of version 1 holds one address'],
    [{ networks: ['10.42.0.5/33'] }, 'networks: "10.42.0.5/33" has a prefix longer than its address'],
    [
      { networks: ['10.42.5/16'] },
      'networks: "10.42.5/16" is not an address with a prefix length such as 10.42.0.5/16',
    ],
    [
      { networks: ['010.42.0.5/16'] },
      'networks: "010.42.0.5/16" is not an address with a prefix length such as 10.42.0.5/16',
    ],
    [{ networks: ['0.0.0.0/16'] }, 'networks: 0.0.0.0/16 is no address that a node can have'],
    [{ networks: ['fd42::5/16'] }, 'networks: fd42::5/16 is IPv6, which needs certificates of version 2'],
    [
      { version: 2, networks: ['::ffff:10.42.0.5/112'] },
      'networks: "::ffff:10.42.0.5/112" is an IPv4 address written as IPv6',
    ],
    [{ version: 2, networks: ['fd42::5/16', 'fd42:0::5/16'] }, 'networks: fd42:0::5/16 stands there twice'],
    [
      { version: 2, unsafeNetworks: ['2001:db8::/32'] },
      'unsafeNetworks: 2001:db8::/32 needs a node with an address of its kind',
    ],
    [{ unsafeNetworks: ['192.168.7.1/24'] }, 'unsafeNetworks: 192.168.7.1/24 has host bits set'],
    [{ unsafeNetworks: ['192.168.7.0/24', '192.168.7.0/24'] }, 'unsafeNetworks: 192.168.7.0/24 stands there twice'],
    [{ name: '' }, 'name: must have 1 to 253 bytes of UTF-8, not 0'],
    [{ name: 'a\ud800' }, 'name: holds half of a surrogate pair'],
    [{ groups: ['x'.repeat(254)] }, 'groups: must have 1 to 253 bytes of UTF-8, not 254'],
    [{ notAfter: new Date(now.getTime() - 1000) }, 'validity: ends before it begins'],
    [{ notAfter: new Date(Number.NaN) }, 'validity: must be two times after 1970'],
  ] as const)('%j breaks a rule of the format', (changed, reason) => {
    expect(refusal(() => signNode(free, request(changed)))).toBe(reason)
  })
})

describe("a certificate that a CA's key signed beyond the CA's limits", () => {
  test.each([
    { networks: ['10.43.0.5/16'] },
    { unsafeNetworks: ['10.0.0.0/8'] },
    { groups: ['root'] },
    { notAfter: new Date(end.getTime() + 1000) },
  ])('%j is not trusted', (changed) => {
    const fields = { ...signNode(limited, request()), ...changed }
    const stolen = issue(1, fields, (bytes) => signBytes(bytes, limited.key))
    if (stolen.isCa) throw new Error('a node was asked for')
    expect(refusal(() => verifyNode(stolen, [limited.certificate], now))).toMatch(/the CA/)
  })
})

describe('the validity of what is signed now', () => {
  test('begins five minutes ago and lasts as long as was asked', () => {
    expect(validityFrom(limited, now, 3600)).toEqual({
      notBefore: new Date('2026-12-01T11:55:00Z'),
      notAfter: new Date('2026-12-01T13:00:00Z'),
    })
  })

  test("stays within the CA's, at both ends, so that it can be signed", () => {
    for (const at of [begin, end]) {
      const validity = validityFrom(limited, at, 11 * 365 * 86_400)
      expect(validity).toEqual({ notBefore: at === begin ? begin : new Date(end.getTime() - 300_000), notAfter: end })
      expect(signNode(limited, request(validity))).toMatchObject(validity)
    }
  })

  test('is none when the CA has expired or has not begun', () => {
    const at = (time: number) => refusal(() => validityFrom(limited, new Date(time), 3600))
    expect(at(end.getTime() + 1000)).toBe('validity: the CA "CA" expired at 2036-11-28T12:00:00.000Z')
    expect(at(begin.getTime() - 1000)).toBe('validity: the CA "CA" is not valid before 2026-11-30T12:00:00.000Z')
  })
})
