import { inspect } from 'node:util'

import { describe, expect, jest, test } from '@jest/globals'

import { createCa, exportCaKey, importCa, openCa } from '../../src/pki/ca.ts'
import { readPemBlock, writePem } from '../../src/pki/encoding/pem.ts'
import { encryptedKey } from './encrypted-key.ts'
import { vector } from './nebula-cert.ts'
import { refusal, refusalOf } from './refusal.ts'

const day = 86_400_000
const now = new Date('2026-12-01T00:00:00Z')
const newCa = (fields: Partial<Parameters<typeof createCa>[0]> = {}) =>
  createCa({
    version: 1,
    name: 'A CA',
    notBefore: now,
    notAfter: new Date(now.getTime() + 3650 * day),
    networks: ['10.42.0.0/16'],
    unsafeNetworks: [],
    groups: [],
    ...fields,
  })
const keyBytes = (pem: string) => readPemBlock(pem, 'key').bytes

describe('a CA that is made', () => {
  test.each([1, 2] as const)('version %i: can be kept as two texts and opened again', (version) => {
    const ca = newCa({ version, groups: ['web'], unsafeNetworks: ['192.168.0.0/16'] })
    const opened = openCa(ca.certificate.pem, exportCaKey(ca))
    expect(opened.certificate).toEqual(ca.certificate)
    expect(exportCaKey(opened)).toBe(exportCaKey(ca))
    expect(ca.certificate).toMatchObject({ version, isCa: true, issuer: null, name: 'A CA', groups: ['web'] })
  })

  test('has a key of its own each time', () => {
    expect(exportCaKey(newCa())).not.toBe(exportCaKey(newCa()))
  })

  test('does not show its key when it is logged', () => {
    const ca = newCa()
    const { d = '' } = ca.key.export({ format: 'jwk' })
    expect(`${JSON.stringify(ca)} ${inspect(ca, { depth: 5 })}`).not.toContain(d)
  })

  test.each([
    [{ name: '' }, 'name: must have 1 to 253 bytes of UTF-8, not 0'],
    [{ name: 'é'.repeat(127) }, 'name: must have 1 to 253 bytes of UTF-8, not 254'],
    [{ networks: ['10.42.0.0'] }, 'networks: "10.42.0.0" is not an address with a prefix length such as 10.42.0.5/16'],
    [{ networks: ['fd00::/8'] }, 'networks: fd00::/8 is IPv6, which needs certificates of version 2'],
    [{ unsafeNetworks: ['::/0'] }, 'networks: ::/0 is IPv6, which needs certificates of version 2'],
    [{ groups: ['a', ''] }, 'groups: must have 1 to 253 bytes of UTF-8, not 0'],
    [{ notAfter: new Date(now.getTime() - 1000) }, 'validity: ends before it begins'],
  ])('%j is refused', (fields, reason) => {
    expect(refusal(() => newCa(fields))).toBe(reason)
  })
})

describe('a CA that is imported', () => {
  const ca = newCa()
  const key = exportCaKey(ca)
  const certificate = ca.certificate.pem

  test('is the one that nebula-cert made, its key encrypted', async () => {
    const imported = await importCa(vector('ca-v2.crt'), vector('TEST-ONLY-ca-v2.encrypted.key'), 'test only', now)
    expect(imported.certificate.name).toBe('TEST ONLY version 2')
  })

  test('may have a key in clear, or one encrypted with a passphrase of any script', async () => {
    const encrypted = await encryptedKey(keyBytes(key), 'pässwörd 日本')
    for (const imported of [
      await importCa(certificate, key, null, now),
      await importCa(certificate, encrypted, 'pässwörd 日本', now),
    ]) {
      expect(imported.certificate).toEqual(ca.certificate)
      expect(exportCaKey(imported)).toBe(key)
    }
  })

  const node = vector('node-v1.crt')
  const tampered = Buffer.from(readPemBlock(certificate, 'certificate').bytes)
  tampered[5] = (tampered[5] ?? 0) ^ 1
  const swapped = Buffer.concat([keyBytes(key).subarray(0, 32), keyBytes(exportCaKey(newCa())).subarray(32)])
  const pem = (banner: string, bytes: Uint8Array) => writePem({ banner, bytes })

  test.each([
    ["a node's certificate", [node, key, null], `certificate: of "web-1" is a node's, a CA's is wanted`],
    ['two certificates', [certificate + certificate, key, null], 'certificate: holds 2 PEM blocks, one is wanted'],
    [
      'key and certificate mixed up',
      [key, certificate, null],
      /^certificate: a private key stands where a certificate belongs/,
    ],
    [
      'a certificate for a key',
      [certificate, certificate, null],
      'key: is a "NEBULA CERTIFICATE", a "NEBULA ED25519 PRIVATE KEY" is wanted',
    ],
    [
      'a changed certificate',
      [pem('NEBULA CERTIFICATE', tampered), key, null],
      /^certificate: of the CA ".*" is not signed by its own key$/,
    ],
    [
      "another CA's key",
      [certificate, exportCaKey(newCa()), null],
      'key: is not the one that belongs to the certificate of "A CA"',
    ],
    [
      "a node's key",
      [certificate, pem('NEBULA X25519 PRIVATE KEY', new Uint8Array(32)), null],
      `key: is a node's ("NEBULA X25519 PRIVATE KEY"), the CA's is wanted`,
    ],
    [
      'a key of P256',
      [certificate, pem('NEBULA ECDSA P256 PRIVATE KEY', new Uint8Array(32)), null],
      'key: is a "NEBULA ECDSA P256 PRIVATE KEY": the curve P256 is not supported, only Ed25519 and Curve25519 are',
    ],
    [
      'a short key',
      [certificate, pem('NEBULA ED25519 PRIVATE KEY', keyBytes(key).subarray(0, 63)), null],
      'key: has 63 bytes, an Ed25519 signing key has 64',
    ],
    [
      'a key of two halves',
      [certificate, pem('NEBULA ED25519 PRIVATE KEY', swapped), null],
      'key: is damaged: its public half does not belong to its private half',
    ],
    ['no key', [certificate, '', null], 'key: is not in PEM form: a line "-----BEGIN NEBULA …-----" is missing'],
    ['a passphrase that nothing needs', [certificate, key, 'x'], 'passphrase: was given, but the key is not encrypted'],
    [
      'no passphrase for an encrypted key',
      [vector('ca-v2.crt'), vector('TEST-ONLY-ca-v2.encrypted.key'), null],
      'passphrase: is missing: the key is encrypted',
    ],
    [
      'a wrong passphrase',
      [vector('ca-v2.crt'), vector('TEST-ONLY-ca-v2.encrypted.key'), 'Test only'],
      'passphrase: is wrong, or the key is damaged',
    ],
    ['P256 throughout', [vector('ca-p256-v1.crt'), key, null], /^certificate: .*P256/],
  ] as const)('%s is refused', async (_what, [certificatePem, keyPem, passphrase], reason) => {
    const refused = await refusalOf(importCa(certificatePem, keyPem, passphrase, now))
    if (typeof reason === 'string') expect(refused).toBe(reason)
    else expect(refused).toMatch(reason)
  })

  test('expired, or not valid yet, is refused, and says when', async () => {
    const at = (time: string) => refusalOf(importCa(certificate, key, null, new Date(time)))
    expect(await at('2036-12-01')).toBe('certificate: of the CA "A CA" expired at 2036-11-28T00:00:00.000Z')
    expect(await at('2026-11-01')).toBe('certificate: of the CA "A CA" is not valid before 2026-12-01T00:00:00.000Z')
    expect(openCa(certificate, key).certificate).toEqual(ca.certificate)
  })

  test.each([
    [{ memory: 2 * 1024 * 1024 + 1 }, 'its argon2id parameters ask for more work than 2097152 KiB in 4 iterations'],
    [
      { memory: 1024 * 1024, iterations: 9 },
      'its argon2id parameters ask for more work than 2097152 KiB in 4 iterations',
    ],
    [{ iterations: 0 }, 'its argon2id parameters are too small or too large'],
    [{ parallelism: 0 }, 'its argon2id parameters are too small or too large'],
    [{ parallelism: 256, memory: 4096 }, 'its argon2id parameters are too small or too large'],
    [{ memory: 8, parallelism: 2 }, 'its argon2id parameters are too small or too large'],
    [{ version: 16 }, 'its version of argon2 is not 1.3'],
    [{ algorithm: 'AES-128-CBC' }, 'its algorithm is not AES-256-GCM'],
    [{ saltLength: 7 }, 'its salt has 7 bytes, 8 to 64 are allowed'],
  ])('a key file that states %j is refused before any work is done', async (changed, reason) => {
    const encrypted = await encryptedKey(keyBytes(key), 'x', changed)
    expect(await refusalOf(importCa(certificate, encrypted, 'x', now))).toBe(
      `key: is not an encrypted key of nebula-cert: ${reason}`,
    )
  })

  test('a key whose decryption needs more memory than is free is refused, not tried', async () => {
    const encrypted = await encryptedKey(keyBytes(key), 'x', { memory: 1024 * 1024 })
    const free = jest.spyOn(process, 'availableMemory').mockReturnValue(1024 ** 3)
    try {
      expect(await refusalOf(importCa(certificate, encrypted, 'x', now))).toBe(
        'key: needs 1024 MiB of memory to decrypt and this machine has 1024 MiB free: encrypt it with a smaller -argon-memory, or give it decrypted',
      )
    } finally {
      free.mockRestore()
    }
  })

  test('what is encrypted in a key file must be a signing key', async () => {
    const encrypted = await encryptedKey(new Uint8Array(32), 'x')
    expect(await refusalOf(importCa(certificate, encrypted, 'x', now))).toBe(
      'key: has 32 bytes, an Ed25519 signing key has 64',
    )
  })

  test('two that do not belong together cannot be opened', () => {
    expect(refusal(() => openCa(newCa().certificate.pem, key))).toMatch(/^key: is not the one that belongs/)
  })
})
