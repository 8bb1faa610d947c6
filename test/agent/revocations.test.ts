import { expect, test } from '@jest/globals'

import type { Generation } from '../../src/agent/nebula/generation.ts'
import { sayRevoked, withRevocations } from '../../src/agent/nebula/revocations.ts'
import { createCa } from '../../src/pki/ca.ts'
import { generateNodeKeyPair } from '../../src/pki/keys.ts'
import { signNode } from '../../src/pki/sign.ts'

const [notBefore, notAfter] = [new Date('2026-01-01'), new Date('2036-01-01')]
const limits = { networks: [], unsafeNetworks: [], groups: [] }
const ca = (name: string) => createCa({ version: 1, name, notBefore, notAfter, ...limits })
const [old, present] = [ca('old'), ca('present')]
const [a, b] = ['a'.repeat(64), 'b'.repeat(64)]
const { publicKey } = generateNodeKeyPair()
const by = (signer: typeof old) =>
  signNode(signer, { version: 1, name: 'n', ...limits, networks: ['10.42.0.5/16'], notBefore, notAfter, publicKey }).pem

const before = (change: Partial<Generation> = {}): Generation => ({
  name: '4-1',
  version: 4,
  config: { pki: { blocklist: [a] }, tun: { mtu: 1300 } },
  ca: old.certificate.pem + present.certificate.pem,
  certificate: by(present),
  ...change,
})
const both = before().ca

test('the way back has the old settings and version, and who is blocked by either', () => {
  const newer = { config: { pki: { blocklist: [b] }, tun: { mtu: 9000 } }, ca: both }
  expect(withRevocations(before(), newer)).toEqual({
    version: 4,
    config: { pki: { blocklist: [a, b] }, tun: { mtu: 1300 } },
    ca: both,
    certificate: before().certificate,
  })
})

test('nothing is written where nothing is revoked', () => {
  expect(withRevocations(before(), { config: { pki: { blocklist: [a] } }, ca: both })).toBeNull()
  expect(withRevocations(before(), { config: {}, ca: both })).toBeNull()
})

test('what is no fingerprint is not taken from a version that does not run', () => {
  const newer = { config: { pki: { blocklist: ['x', 7, { a: 1 }] } }, ca: both }
  expect(withRevocations(before(), newer)).toBeNull()
  expect(withRevocations(before(), { config: { pki: { blocklist: b } }, ca: both })).toBeNull()
})

test('a CA that is trusted no more is taken away, unless the machine’s own certificate is by it', () => {
  const newer = { config: {}, ca: present.certificate.pem }
  expect(withRevocations(before(), newer)?.ca).toBe(present.certificate.pem)
  expect(withRevocations(before({ certificate: by(old) }), newer)).toBeNull()
  expect(withRevocations(before({ certificate: by(old) + by(present) }), newer)).toBeNull()
})

test('a file without a CA revokes none, and one with a new CA adds none', () => {
  expect(withRevocations(before(), { config: {}, ca: 'damaged' })).toBeNull()
  expect(withRevocations(before(), { config: {}, ca: both + ca('new').certificate.pem })).toBeNull()
})

test('the report says whether what is revoked is in force', () => {
  const newer = { config: { pki: { blocklist: [b] } }, ca: both }
  const merged = before({ config: { pki: { blocklist: [a, b] } } })
  expect(sayRevoked(before(), newer, merged)).toBe('; what it revokes is in force')
  expect(sayRevoked(before(), newer, before())).toBe('; what it revokes is not in force either')
  expect(sayRevoked(merged, newer, merged)).toBe('')
})
