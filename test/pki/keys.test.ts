import { createPublicKey, diffieHellman, generateKeyPairSync } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { formatPublicKey, generateNodeKeyPair, parseNodeKeyPair, parsePublicKey } from '../../src/pki/keys.ts'
import { writePem } from '../../src/pki/encoding/pem.ts'
import { refusal } from './refusal.ts'

const pem = (bytes: Uint8Array, banner = 'NEBULA X25519 PUBLIC KEY') => writePem({ banner, bytes })
const { publicKey, privateKeyPem } = generateNodeKeyPair()

describe("a node's key", () => {
  test('is made anew each time, and its public half goes out and comes back', () => {
    expect(generateNodeKeyPair().privateKeyPem).not.toBe(privateKeyPem)
    expect(formatPublicKey(publicKey)).toMatch(
      /^-----BEGIN NEBULA X25519 PUBLIC KEY-----\n[\w+/=]{44}\n-----END NEBULA X25519 PUBLIC KEY-----\n$/,
    )
    expect(Buffer.compare(parsePublicKey(formatPublicKey(publicKey)), publicKey)).toBe(0)
  })

  test('is found again in its file', () => {
    expect(parseNodeKeyPair(privateKeyPem)).toEqual({ publicKey, privateKeyPem })
  })

  test.each([
    [
      'its private half',
      privateKeyPem,
      'is a private key: send the public half, and let no private key leave its machine',
    ],
    [
      "a CA's private key",
      pem(new Uint8Array(64), 'NEBULA ED25519 PRIVATE KEY'),
      'is a private key: send the public half, and let no private key leave its machine',
    ],
    [
      'a private key of another kind',
      pem(new Uint8Array(64), 'OPENSSH PRIVATE KEY'),
      'is a private key: send the public half, and let no private key leave its machine',
    ],
    [
      "a CA's public key",
      pem(publicKey, 'NEBULA ED25519 PUBLIC KEY'),
      'is a "NEBULA ED25519 PUBLIC KEY", a "NEBULA X25519 PUBLIC KEY" is wanted',
    ],
    [
      'a key of P256',
      pem(new Uint8Array(65), 'NEBULA P256 PUBLIC KEY'),
      'is a "NEBULA P256 PUBLIC KEY", a "NEBULA X25519 PUBLIC KEY" is wanted',
    ],
    ['31 bytes', pem(publicKey.subarray(1)), "has a public key of 31 bytes, X25519's have 32"],
    ['33 bytes', pem(Buffer.concat([publicKey, Buffer.of(0)])), "has a public key of 33 bytes, X25519's have 32"],
    ['two keys', formatPublicKey(publicKey).repeat(2), 'holds 2 PEM blocks, one is wanted'],
    ['base64 without its lines', Buffer.from(publicKey).toString('base64'), 'line 1 is outside of a PEM block'],
    ['nothing', '', 'is not in PEM form: a line "-----BEGIN NEBULA …-----" is missing'],
  ])('%s is refused as a public key', (_what, text, reason) => {
    expect(refusal(() => parsePublicKey(text))).toBe(`key: ${reason}`)
  })

  test.each([
    [
      'a public key',
      formatPublicKey(publicKey),
      'is a "NEBULA X25519 PUBLIC KEY", a "NEBULA X25519 PRIVATE KEY" is wanted',
    ],
    ['31 bytes', pem(new Uint8Array(31), 'NEBULA X25519 PRIVATE KEY'), 'has 31 bytes, an X25519 key has 32'],
  ])('%s is refused as a private key', (_what, text, reason) => {
    expect(refusal(() => parseNodeKeyPair(text))).toBe(`key: ${reason}`)
  })
})

describe('a public key with which everybody would share one secret', () => {
  // RFC 7748, section 6.1, and D. J. Bernstein's list of the points of low order; little-endian.
  const points = [
    '0000000000000000000000000000000000000000000000000000000000000000',
    '0100000000000000000000000000000000000000000000000000000000000000',
    'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
    '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
    'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
    'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  ]
  const withHighBit = points.map((point) => {
    const bytes = Buffer.from(point, 'hex')
    bytes[31] = (bytes[31] ?? 0) | 0x80
    return bytes.toString('hex')
  })

  test.each([...points, ...withHighBit])('%s is refused, as OpenSSL refuses it', (hex) => {
    const bytes = Buffer.from(hex, 'hex')
    const jwk = { kty: 'OKP', crv: 'X25519', x: bytes.toString('base64url') }
    const theirs = createPublicKey({ key: jwk, format: 'jwk' })
    expect(() => diffieHellman({ publicKey: theirs, privateKey: generateKeyPairSync('x25519').privateKey })).toThrow()
    expect(refusal(() => parsePublicKey(pem(bytes)))).toBe(
      'key: has a public key that no X25519 key pair has (a point of low order)',
    )
  })

  test('its neighbours are not', () => {
    for (const first of [2, 3, 0xef, 0xeb]) {
      const bytes = Buffer.alloc(32, first < 0x80 ? 0 : 0xff)
      bytes[0] = first
      bytes[31] = first < 0x80 ? 0 : 0x7f
      expect(parsePublicKey(pem(bytes))).toHaveLength(32)
    }
  })
})
