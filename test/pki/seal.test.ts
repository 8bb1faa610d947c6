import { describe, expect, test } from '@jest/globals'

import { seal, sealingKey, unseal } from '../../src/pki/seal.ts'
import { refusal } from './refusal.ts'

const key = sealingKey('a secret of at least 32 characters.')
const clusterId = '0b6f1c0e-5e0f-4b52-9d0c-2f3f3f1c9a11'
const plaintext = '-----BEGIN NEBULA ED25519 PRIVATE KEY-----\nkeep this to yourself – ünïcödé\n'
const sealed = seal(plaintext, { key, clusterId })
const shut = 'sealed key: cannot be opened: another ORRERY_SECRET sealed it, for another cluster, or it was changed'
const formless = 'sealed key: is not in the form v1.<base64url>'

describe('a sealed text', () => {
  test('opens under the same secret for the same cluster', () => {
    const again = sealingKey('a secret of at least 32 characters.')
    expect(unseal(sealed, { key: again, clusterId })).toBe(plaintext)
    expect(unseal(seal('', { key, clusterId }), { key, clusterId })).toBe('')
  })

  test('names its form, and is another one each time', () => {
    expect(sealed).toMatch(/^v1\.[A-Za-z0-9_-]+$/)
    expect(seal(plaintext, { key, clusterId })).not.toBe(sealed)
  })

  test('stays shut under another secret and for another cluster', () => {
    const other = sealingKey('another secret of 32 characters....')
    expect(refusal(() => unseal(sealed, { key: other, clusterId }))).toBe(shut)
    expect(refusal(() => unseal(sealed, { key, clusterId: clusterId.replace('0', '1') }))).toBe(shut)
  })

  test('stays shut when any one character of it is another', () => {
    for (const index of sealed.split('').keys()) {
      const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1)
      expect([shut, formless]).toContain(refusal(() => unseal(changed, { key, clusterId })))
    }
  })

  test.each(['', 'v1.', 'v1.AAAA', `v2.${sealed.slice(3)}`, `${sealed}=`, `${sealed}\n`, plaintext])(
    '%j is none',
    (text) => {
      expect(refusal(() => unseal(text, { key, clusterId }))).toBe(formless)
    },
  )

  test('has one spelling: the bits that base64 leaves over must be zero', () => {
    const text = seal('a', { key, clusterId })
    const other = text.slice(0, -1) + String.fromCharCode(text.charCodeAt(text.length - 1) + 1)
    expect(Buffer.from(other.slice(3), 'base64url')).toEqual(Buffer.from(text.slice(3), 'base64url'))
    expect(unseal(text, { key, clusterId })).toBe('a')
    expect(refusal(() => unseal(other, { key, clusterId }))).toBe(formless)
  })

  test('cut off anywhere stays shut', () => {
    for (let length = 0; length < sealed.length; length += 1) {
      expect([shut, formless]).toContain(refusal(() => unseal(sealed.slice(0, length), { key, clusterId })))
    }
  })

  test('the key comes from the secret by HKDF-SHA256, by Orrery’s label, and prints as nothing', () => {
    // RFC 5869 computed apart, with Python's hmac: salt "orrery", info "orrery/v1/ca-key-sealing".
    expect(key.export().toString('hex')).toBe('26d03e6b10af91667f4b624bfd438629ed898d3f25c4140480c681177ad699dd')
    expect(JSON.stringify({ key })).toBe('{"key":{}}')
  })
})
