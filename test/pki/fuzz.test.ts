import { describe, expect, test } from '@jest/globals'

import { createCa, exportCaKey, importCa } from '../../src/pki/ca.ts'
import { parseCertificate, parseCertificates } from '../../src/pki/certificate.ts'
import { PkiError } from '../../src/pki/errors.ts'
import { formatPublicKey, generateNodeKeyPair, parseNodeKeyPair, parsePublicKey } from '../../src/pki/keys.ts'
import { readPemBlock, writePem } from '../../src/pki/encoding/pem.ts'
import { sealingKey, seal, unseal } from '../../src/pki/seal.ts'
import { verifyCa, verifyNode } from '../../src/pki/verify.ts'
import { encryptedKey } from './encrypted-key.ts'
import { vector } from './nebula-cert.ts'

const rounds = 1500
const certificates = ['ca-v1.crt', 'node-v1.crt', 'ca-v2.crt', 'node-v2.crt', 'node-v2-small.crt']

/** Numbers from 0 to below `limit`, the same ones each time: a linear congruential generator. */
function dice(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

/** Damages bytes in one to four places: changed, left out, doubled, cut off, or made a length that is a lie. */
function damage(bytes: Uint8Array, roll: (limit: number) => number): Uint8Array {
  let damaged = [...bytes]
  for (let times = 1 + roll(4); times > 0; times -= 1) {
    const at = roll(damaged.length)
    const kinds = [
      () => damaged.splice(at, 1, roll(256)),
      () => damaged.splice(at, 1, (damaged[at] ?? 0) ^ (1 << roll(8))),
      () => damaged.splice(at, 1 + roll(4)),
      () => damaged.splice(at, 0, ...damaged.slice(at, at + 1 + roll(40))),
      () => damaged.splice(at, 1, ...[0xff, 0xff, 0xff, 0xff, 0x7f].slice(roll(5))),
      () => (damaged = damaged.slice(0, at)),
    ]
    kinds[roll(kinds.length)]?.()
  }
  return Uint8Array.from(damaged)
}

const damageText = (text: string, roll: (limit: number) => number): string =>
  Buffer.from(damage(Buffer.from(text), roll)).toString('latin1')

/** Tries a parser on damaged input: it accepts or throws a PkiError, and what it accepts is handed on. */
function attempt<T>(parse: () => T, accepted: (value: T) => void): 'accepted' | 'refused' {
  let value: T
  try {
    value = parse()
  } catch (error) {
    if (error instanceof PkiError) return 'refused'
    throw error
  }
  accepted(value)
  return 'accepted'
}

describe('damaged input is accepted for what it says or refused as PkiError, and nothing else happens', () => {
  test.each(certificates.map((name, seed) => [name, seed] as const))('the bytes of %s', (name, seed) => {
    const roll = dice(seed + 1)
    const { banner, bytes } = readPemBlock(vector(name), 'certificate')
    const cas = ['ca-v1.crt', 'ca-v2.crt'].map((ca) => parseCertificate(vector(ca))).filter((ca) => ca.isCa)
    const tally = { accepted: 0, refused: 0 }
    for (let round = 0; round < rounds; round += 1) {
      const damaged = damage(bytes, roll)
      if (damaged.length === 0 || Buffer.compare(damaged, bytes) === 0) continue
      const pem = writePem({ banner, bytes: damaged })
      const outcome = attempt(
        () => parseCertificate(pem),
        (certificate) => {
          // One certificate has one spelling, and a signature covers every bit of it.
          expect(certificate.pem).toBe(pem)
          const verify = () =>
            certificate.isCa
              ? verifyCa(certificate, certificate.notBefore)
              : verifyNode(certificate, cas, certificate.notBefore)
          expect(verify).toThrow(PkiError)
        },
      )
      tally[outcome] += 1
    }
    // Both ways must have been tried, or this test tests nothing.
    expect(Math.min(tally.accepted, tally.refused)).toBeGreaterThan(rounds / 50)
  })

  test('the text of certificate files', () => {
    const roll = dice(11)
    for (let round = 0; round < rounds; round += 1) {
      const file = certificates.slice(roll(5)).map(vector).join('# more\n')
      const text = damageText(file, roll)
      attempt(
        () => parseCertificates(text),
        (all) => expect(all.length).toBeGreaterThan(0),
      )
    }
  })

  test('keys, and texts that are sealed', () => {
    const roll = dice(12)
    const pair = generateNodeKeyPair()
    const publicKey = formatPublicKey(pair.publicKey)
    const context = { key: sealingKey('a secret of at least 32 characters.'), clusterId: 'a' }
    const sealed = seal('keep this', context)
    for (let round = 0; round < rounds; round += 1) {
      attempt(
        () => parsePublicKey(damageText(publicKey, roll)),
        (key) => expect(key).toHaveLength(32),
      )
      attempt(
        () => parseNodeKeyPair(damageText(pair.privateKeyPem, roll)),
        ({ publicKey: key }) => expect(key).toHaveLength(32),
      )
      attempt(
        () => unseal(damageText(sealed, roll), context),
        (text) => expect(text).toBe('keep this'),
      )
    }
  })

  test('CA keys, encrypted and not: nothing but the right key is taken', async () => {
    const roll = dice(13)
    const now = new Date()
    const limits = { networks: [], unsafeNetworks: [], groups: [] }
    const ca = createCa({ version: 1, name: 'CA', notBefore: now, notAfter: new Date(now.getTime() + 1e9), ...limits })
    const key = exportCaKey(ca)
    const encrypted = await encryptedKey(readPemBlock(key, 'key').bytes, 'x')
    const { banner, bytes } = readPemBlock(encrypted, 'key')
    for (let round = 0; round < rounds / 5; round += 1) {
      const tries = [
        importCa(ca.certificate.pem, damageText(key, roll), null),
        importCa(ca.certificate.pem, damageText(encrypted, roll), 'x'),
        importCa(ca.certificate.pem, writePem({ banner, bytes: damage(bytes, roll) }), 'x'),
      ]
      for (const outcome of await Promise.allSettled(tries)) {
        if (outcome.status === 'fulfilled') expect(exportCaKey(outcome.value)).toBe(key)
        else expect(outcome.reason).toBeInstanceOf(PkiError)
      }
    }
  })
})
