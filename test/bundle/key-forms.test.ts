import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

import { describe, expect, test } from '@jest/globals'

import { compileBundle } from '../../src/domain/bundles/compile/compile.ts'
import { chunkSize } from '../../src/domain/bundles/inspect/limits.ts'
import { holdsPrivateKey, PrivateKeyScanner } from '../../src/domain/bundles/inspect/private-keys.ts'
import { encryptedKey } from '../pki/encrypted-key.ts'
import { filesBesideKeys, keysOfNode, keysOfPrograms } from '../support/private-keys.ts'
import { ca, inputOf, nodeOf, signerOf } from './cluster.ts'
import { bundleOf, configOf, invalid, refusal } from './support.ts'

/** Where a key is found in a file that comes in pieces, as uploads do. */
function placeIn(file: Uint8Array): number | null {
  const scanner = new PrivateKeyScanner()
  for (let at = 0; at < file.length; at += chunkSize) {
    const place = scanner.push(file.subarray(at, at + chunkSize))
    if (place !== null) return place
  }
  return null
}

const lines = (text: string, width: number, before = '', after = '\n'): string =>
  text.replace(new RegExp(`.{1,${width}}`, 'g'), (line) => before + line + after)

/** The bytes of a file that is PEM; another one as it is. */
function bytesOf(file: Buffer): Buffer {
  const body = /^-----BEGIN [^-]+-----\n([\w+/=\n]+)-----END /.exec(file.toString('latin1'))?.[1]
  return body === undefined ? file : Buffer.from(body, 'base64')
}

/** In which forms a key of bytes may stand in a file. */
const forms: Record<string, (key: Buffer) => Buffer> = {
  'as it is': (key) => key,
  'between other bytes': (key) => Buffer.concat([randomBytes(70_001), key, randomBytes(9000)]),
  'as base64 in one line': (key) => Buffer.from(key.toString('base64')),
  'as base64 for addresses, behind a word': (key) => Buffer.from(`the key ${key.toString('base64url')}`),
  'as the lines of a PEM file': (key) => Buffer.from(lines(key.toString('base64'), 64)),
  'as the lines of a MIME part, in the middle of a text': (key) =>
    Buffer.from(`${'Some text, first. '.repeat(5000)}\r\n${lines(key.toString('base64'), 76, '', '\r\n')}And more.`),
  'as lines that are commented out': (key) => Buffer.from(lines(key.toString('base64'), 64, '# ')),
  'as a text of JSON': (key) => Buffer.from(JSON.stringify({ key: lines(key.toString('base64'), 64) })),
  'as texts of a program': (key) => Buffer.from(lines(key.toString('base64'), 48, "'", "' +\n")),
  'as lines of UTF-16': (key) => Buffer.from(`\ufeff${lines(key.toString('base64'), 64)}`, 'utf16le'),
  'as a PEM file in base64': (key) =>
    Buffer.from(
      Buffer.from(
        `Some words\n-----BEGIN EC PRIVATE KEY-----\n${lines(key.toString('base64'), 64)}-----END EC PRIVATE KEY-----\n`,
      ).toString('base64'),
    ),
}

const fromNode = keysOfNode()
const fromPrograms = keysOfPrograms()
/** Their bytes. Nebula's own keys are bytes that nothing tells from others. */
const bytesOfAll: Record<string, Buffer> = {
  ...fromNode,
  ...Object.fromEntries(
    Object.entries(fromPrograms)
      .filter(([name]) => !name.startsWith('nebula-cert') && name !== 'openssl, RSA of old with a password')
      .map(([name, file]) => [name, bytesOf(file)]),
  ),
}

describe('a private key is found', () => {
  test.each(Object.keys(forms))('%s, whatever its kind', (form) => {
    const missed = Object.entries(bytesOfAll).filter(([, key]) => placeIn(forms[form]?.(key) ?? key) === null)
    expect(missed.map(([name]) => name)).toEqual([])
  })

  test('in the files that openssl, ssh-keygen and nebula-cert write, as they are and in base64', () => {
    const missed = Object.entries(fromPrograms).filter(
      ([, file]) => placeIn(file) === null || placeIn(Buffer.from(file.toString('base64'))) === null,
    )
    expect(missed.map(([name]) => name)).toEqual([])
  })

  test('of a CA of Nebula’s that has a password, also without its frame', async () => {
    const pem = Buffer.from(await encryptedKey(randomBytes(64), 'secret'))
    for (const file of [pem, bytesOf(pem), Buffer.from(bytesOf(pem).toString('base64'))])
      expect(placeIn(file)).not.toBeNull()
  })

  test('that PuTTY or an SSH2 server wrote, and of PKCS #12 with lengths that are told at the end', () => {
    expect(placeIn(Buffer.from('PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\n'))).toBe(0)
    expect(placeIn(Buffer.from('---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\n'))).toBe(0)
    expect(placeIn(Buffer.from('3080020103308006092a864886f70d010701a080', 'hex'))).toBe(0)
  })

  test('where it is, so that the right file is named', async () => {
    const key = fromNode['ec p-256, PKCS #8'] ?? Buffer.alloc(0)
    const body = lines(key.toString('base64'), 64)
    expect(placeIn(Buffer.concat([Buffer.alloc(100_000, 0xff), key]))).toBe(100_000)
    expect(placeIn(Buffer.from(`${'. '.repeat(50_000)}${body}`))).toBe(100_000)
    // The last one is among bytes that cannot be made smaller, so that the gzip has them as they are.
    for (const content of [key, body, Buffer.concat([randomBytes(70_000), key, randomBytes(70_000)])]) {
      const archive = await bundleOf({ name: 'a', content: 'x' }, { name: 'b', content }, { name: 'c', content: 'y' })
      expect(await refusal(archive)).toBe(invalid('b', 'holds a private key; private keys never leave their machine'))
    }
  })

  test('wherever the pieces of an upload cut it in two', () => {
    const key = fromNode['rsa 3072, PKCS #1'] ?? Buffer.alloc(0)
    for (const file of [key, Buffer.from(lines(key.toString('base64'), 64))]) {
      for (let cut = 0; cut <= file.length; cut += 7) {
        const scanner = new PrivateKeyScanner()
        const places = [scanner.push(file.subarray(0, cut)), scanner.push(file.subarray(cut))]
        expect({ cut, isFound: places.some((place) => place !== null) }).toEqual({ cut, isFound: true })
      }
    }
  })

  test('in a value of YAML that is spelled with escapes, folded or quoted', async () => {
    const body = (fromNode['ed25519, PKCS #8'] ?? Buffer.alloc(0)).toString('base64')
    const escaped = [...body].map((one) => `\\x${one.charCodeAt(0).toString(16)}`).join('')
    for (const value of [`"${escaped}"`, `>\n${lines(body, 20, '  ')}`, `|\n${lines(body, 40, '  ')}`, `'${body}'`]) {
      expect(await refusal(await configOf(`a: ${value}\n`))).toContain('holds a private key')
    }
  })
})

describe('none is found', () => {
  test('in a thousand files of random bytes, nor in their base64', () => {
    const found = Array.from({ length: 1000 }, () => randomBytes(1 + Math.floor(Math.random() * 20_000))).filter(
      (file) => placeIn(file) !== null || placeIn(Buffer.from(lines(file.toString('base64'), 76))) !== null,
    )
    expect(found.map((file) => file.toString('base64'))).toEqual([])
  })

  test('in certificates, requests and public keys, as they are and in base64', () => {
    const publicKeys = ['ed25519', 'x25519'] as const
    const files: Record<string, Buffer> = { ...filesBesideKeys() }
    for (const kind of publicKeys) {
      files[kind] = generateKeyPairSync(kind as 'ed25519').publicKey.export({ type: 'spki', format: 'der' })
    }
    for (const modulusLength of [1024, 4096]) {
      const key = createPublicKey(generateKeyPairSync('rsa', { modulusLength }).privateKey)
      files[`rsa ${modulusLength}, PKCS #1`] = key.export({ type: 'pkcs1', format: 'der' })
      files[`rsa ${modulusLength}`] = key.export({ type: 'spki', format: 'der' })
    }
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' })
    files['ec explicit'] = ec.publicKey.export({ type: 'spki', format: 'der' })
    const found = Object.entries(files).filter(
      ([, file]) => placeIn(file) !== null || placeIn(Buffer.from(lines(file.toString('base64'), 64))) !== null,
    )
    expect(found.map(([name]) => name)).toEqual([])
  })

  test('in what Orrery publishes, nor in this project’s own texts', () => {
    const nodes = Array.from({ length: 300 }, (_, index) => nodeOf(index, { routes: [`192.168.${index % 200}.0/24`] }))
    const { data } = compileBundle(inputOf(nodes, { signer: signerOf(ca), certificateVersion: 2 }))
    expect(placeIn(gunzipSync(data))).toBeNull()
    for (const file of ['package-lock.json', 'schema.graphql', 'README.md', 'docs/pki.md', 'docs/bundles.md']) {
      expect([file, placeIn(readFileSync(file))]).toEqual([file, null])
    }
    expect(holdsPrivateKey('the quick brown fox jumps over the lazy dog '.repeat(100))).toBe(false)
  })
})
