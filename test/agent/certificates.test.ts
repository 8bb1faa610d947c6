import { describe, expect, test } from '@jest/globals'

import { newestCertificate, renewalTime } from '../../src/agent/certificates.ts'
import { createCa } from '../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'

const day = 86_400_000
const from = new Date('2026-06-01T00:00:00Z')
const limits = { networks: [], unsafeNetworks: [], groups: [] }
const life = { notBefore: from, notAfter: new Date(from.getTime() + 400 * day) }
const newCa = () => createCa({ version: 1, name: 'acme', ...life, ...limits })
const [ca, stranger] = [newCa(), newCa()]
const [mine, another] = [generateNodeKeyPair(), generateNodeKeyPair()]

const certificate = ({ days = 0, signer = ca, keys = mine } = {}): string =>
  signNode(signer, {
    ...{ version: 1, name: 'laptop', networks: ['10.42.0.9/16'], unsafeNetworks: [], groups: [] },
    notBefore: new Date(from.getTime() + days * day),
    notAfter: new Date(from.getTime() + (days + 30) * day),
    publicKey: keys.publicKey,
  }).pem

const newest = (...candidates: string[]) => newestCertificate(candidates, ca.certificate.pem, mine.privateKeyPem)

describe('the certificate that a machine runs on', () => {
  test('is the one that was signed last, wherever it came from', () => {
    const [old, renewed] = [certificate(), certificate({ days: 20 })]
    expect(newest(old, renewed)).toBe(renewed)
    expect(newest(renewed, old)).toBe(renewed)
  })

  test.each([
    ['for another node’s key', certificate({ days: 20, keys: another })],
    ['by a CA that the version does not trust', certificate({ days: 20, signer: stranger })],
    ['of the CA itself', ca.certificate.pem],
  ])('is never one %s', (_what, wrong) => {
    const right = certificate()
    expect(newest(wrong, right)).toBe(right)
    expect(newest(wrong)).toBeNull()
  })
})

test('is renewed when two thirds of its life are over, up to a twentieth later', () => {
  const days = (random: number) => (renewalTime(certificate(), random).getTime() - from.getTime()) / day
  expect(days(0)).toBeCloseTo(20)
  expect(days(1)).toBeCloseTo(21.5)
})
