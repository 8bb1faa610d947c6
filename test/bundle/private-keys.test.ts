import { gzipSync } from 'node:zlib'
import { describe, expect, test } from '@jest/globals'
import { holdsPrivateKey, PrivateKeyScanner } from '../../src/domain/bundles/inspect/private-keys.ts'
import {
  bundleOf,
  configOf,
  configText,
  invalid,
  invalidArchive,
  paxRecord,
  rawBundle,
  rawEntry,
  refusal,
  tarOf,
} from './support.ts'

const nebulaKey = '-----BEGIN NEBULA X25519 PRIVATE KEY-----\nAAAA\n-----END NEBULA X25519 PRIVATE KEY-----\n'
const refused = 'holds a private key; private keys never leave their machine'

describe('a private key is found', () => {
  test.each([
    'PRIVATE KEY',
    'ENCRYPTED PRIVATE KEY',
    'RSA PRIVATE KEY',
    'DSA PRIVATE KEY',
    'EC PRIVATE KEY',
    'OPENSSH PRIVATE KEY',
    'PGP PRIVATE KEY BLOCK',
    'NEBULA X25519 PRIVATE KEY',
    'NEBULA P256 PRIVATE KEY',
    'NEBULA ED25519 PRIVATE KEY',
    'NEBULA ED25519 ENCRYPTED PRIVATE KEY',
    'NEBULA ECDSA P256 PRIVATE KEY',
  ])('of the kind %s', async (label) => {
    const archive = await bundleOf({ name: 'certs/a.crt', content: `text\n-----BEGIN ${label}-----\nAAAA\n` })
    expect(await refusal(archive)).toBe(invalid('certs/a.crt', refused))
  })

  test('in the right one of many files, text or binary, at its start or its end', async () => {
    const bytes = Buffer.concat([Buffer.alloc(70_001, 0xff), Buffer.from(nebulaKey)])
    const archive = await bundleOf(
      { name: 'a', content: 'x' },
      { name: 'b', content: bytes },
      { name: 'c', content: 'y' },
    )
    expect(await refusal(archive)).toBe(invalid('b', refused))
    expect(await refusal(await bundleOf({ name: 'a' }, { name: 'b', content: nebulaKey }, { name: 'c' }))).toBe(
      invalid('b', refused),
    )
  })

  test('in UTF-16, which is how Windows likes to redirect', async () => {
    const little = Buffer.from(`\ufeff${nebulaKey}`, 'utf16le')
    expect(await refusal(await bundleOf({ name: 'a.txt', content: little }))).toBe(invalid('a.txt', refused))
    const big = Buffer.from(little).swap16()
    expect(await refusal(await bundleOf({ name: 'a.txt', content: big }))).toBe(invalid('a.txt', refused))
  })

  test('in a YAML file, also when it is spelled with escapes or folded over lines', async () => {
    const block = `pki:\n  other: |\n${nebulaKey.replace(/^/gm, '    ')}\n`
    expect(await refusal(await configOf(block))).toBe(invalid('config.yml', refused))
    const escaped = 'a: "\\x2d----BEGIN NEBULA X25519 PRIVATE KEY-----"\n'
    expect(await refusal(await configOf(escaped))).toBe(invalid('config.yml', 'line 1 holds a private key'))
    const folded = 'a: >\n  -----BEGIN NEBULA X25519\n  PRIVATE KEY-----\n'
    expect(await refusal(await configOf(folded))).toContain('config.yml: line 1 holds a private key')
  })

  test('in places of the archive that are no file', async () => {
    const pax = paxRecord('comment', nebulaKey)
    const inHeader = rawBundle(rawEntry({ name: 'PaxHeader', type: 'x' }, pax), rawEntry({ name: 'a.txt' }))
    expect(await refusal(inHeader)).toContain('holds a private key')
    const gzip = gzipSync(await tarOf([configText]))
    gzip[3] = 16 // FCOMMENT: a comment, ended by a NUL, follows the header's ten bytes
    const commented = Buffer.concat([gzip.subarray(0, 10), Buffer.from(`${nebulaKey}\0`), gzip.subarray(10)])
    expect(await refusal(commented)).toBe(invalidArchive('holds a private key in its gzip header'))
  })

  test('wherever it is cut in two', () => {
    const bytes = Buffer.from(`${'-'.repeat(300)}${nebulaKey}`)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const scanner = new PrivateKeyScanner()
      const found = [scanner.push(bytes.subarray(0, cut)), scanner.push(bytes.subarray(cut))]
      expect({ cut, found: found.find((offset) => offset !== null) }).toEqual({ cut, found: 300 })
    }
    const scanner = new PrivateKeyScanner()
    const found = [...bytes].map((byte) => scanner.push(Uint8Array.of(byte))).filter((offset) => offset !== null)
    expect(found).toContain(300)
  })
})

test.each([
  '-----BEGIN NEBULA X25519 PUBLIC KEY-----',
  '-----BEGIN NEBULA CERTIFICATE-----',
  '-----BEGIN CERTIFICATE-----',
  'PRIVATE KEY',
  'put the file with BEGIN PRIVATE KEY elsewhere',
  '-----END NEBULA X25519 PRIVATE KEY-----',
])('%s is none', (text) => {
  expect(holdsPrivateKey(text)).toBe(false)
  expect(new PrivateKeyScanner().push(Buffer.from(text))).toBeNull()
})
