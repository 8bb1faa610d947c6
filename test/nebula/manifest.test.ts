import { createPrivateKey, generateKeyPairSync, verify } from 'node:crypto'

import { describe, expect, test } from '@jest/globals'

import { ManifestError, readManifest, writeManifest, type BundleManifest } from '../../src/nebula/bundle/manifest.ts'
import { generateBundleSigningKey, signManifest, verifyManifest } from '../../src/nebula/bundle/signing.ts'
import { toPublicKey } from '../../src/pki/encoding/der-keys.ts'

const manifest: BundleManifest = {
  version: 7,
  format: 1,
  cluster: '7f4f4b1e-52a5-4c7e-8d0a-0c5c3d1d9a10',
  nodes: { root: 'b'.repeat(64), count: 2 },
  createdAt: '2026-01-31T12:00:00.000Z',
  minimumNebulaVersion: '1.6.0',
  files: { 'config.yml': { size: 3, sha256: 'a'.repeat(64) }, 'ca.crt': { size: 0, sha256: 'c'.repeat(64) } },
}

const text = writeManifest(manifest)

describe('a manifest', () => {
  test('is written one way only, whatever the order of what it is made of', () => {
    expect(text).toBe(
      `{"cluster":"${manifest.cluster}","createdAt":"2026-01-31T12:00:00.000Z","files":{"ca.crt":{"sha256":"${'c'.repeat(64)}",` +
        `"size":0},"config.yml":{"sha256":"${'a'.repeat(64)}","size":3}},"format":1,"minimumNebulaVersion":"1.6.0",` +
        `"nodes":{"count":2,"root":"${'b'.repeat(64)}"},"version":7}`,
    )
    expect(readManifest(text)).toEqual(manifest)
  })

  test.each<[string, object]>([
    ['version: must be at least 1', { version: 0 }],
    ['version: must be a whole number', { version: 1.5 }],
    ['format: must be 1, the only format there is', { format: 2 }],
    ['cluster: must be a UUID', { cluster: 'acme' }],
    ['createdAt: must be a time in UTC such as', { createdAt: 'yesterday' }],
    ['minimumNebulaVersion: must be a version such as 1.6.0', { minimumNebulaVersion: 'new' }],
    ['files.../passwd: must be a path below the bundle', { files: { '../passwd': manifest.files['ca.crt'] } }],
    ['files./etc/passwd: must be a path', { files: { '/etc/passwd': manifest.files['ca.crt'] } }],
    ['files.a.sha256: must be a SHA-256', { files: { a: { sha256: 'A'.repeat(64), size: 1 } } }],
    ['version: must be below 2³¹', { version: 2 ** 31 }],
    ['nodes.count: must be at most', { nodes: { count: 2 ** 31, root: manifest.nodes.root } }],
    ['files.a.size: must be at most', { files: { a: { sha256: 'a'.repeat(64), size: 2 ** 40 } } }],
    [
      'files: must be at most 20482',
      {
        files: Object.fromEntries(
          Array.from({ length: 20_483 }, (_, index) => [`f${index}`, manifest.files['ca.crt']]),
        ),
      },
    ],
    ['nodes.count: must not be negative', { nodes: { count: -1, root: manifest.nodes.root } }],
    ['the manifest: Unrecognized key: "extra"', { extra: 1 }],
  ])('names the field at fault: %s', (message, change) => {
    expect(() => readManifest(writeManifest({ ...manifest, ...change }))).toThrow(message)
  })

  test.each([
    ['is not JSON', '{'],
    ['is not canonical JSON', `${text}\n`],
    ['is not canonical JSON', text.replace('{', '{"version":8,')],
    ['is not canonical JSON', text.replace('"files":{', '"files":{"__proto__":{},')],
  ])('%s', (message, wrong) => {
    expect(() => readManifest(wrong)).toThrow(ManifestError)
    expect(() => readManifest(wrong)).toThrow(`the manifest: ${message}`)
  })
})

describe('its signature', () => {
  const key = generateBundleSigningKey()
  const signature = signManifest(text, key.privateKey)

  test('is Ed25519 over its bytes, which others can check', () => {
    const publicKey = toPublicKey('ed25519', Buffer.from(key.publicKey, 'base64'))
    expect(verify(null, Buffer.from(text), publicKey, Buffer.from(signature, 'base64'))).toBe(true)
    expect(verifyManifest(text, signature, key.publicKey)).toBe(true)
    expect(verifyManifest(Buffer.from(text), `${signature}\n`, key.publicKey)).toBe(true)
  })

  test('is the same each time', () => {
    expect(signManifest(text, key.privateKey)).toBe(signature)
  })

  test.each([
    ['another text', `${text} `, signature, key.publicKey],
    ['another key', text, signature, generateBundleSigningKey().publicKey],
    ['no signature', text, '', key.publicKey],
    ['another spelling of the signature', text, `${signature} `, key.publicKey],
    ['no key', text, signature, ''],
  ])('does not fit %s', (_, wrongText, wrongSignature, wrongKey) => {
    expect(verifyManifest(wrongText, wrongSignature, wrongKey)).toBe(false)
  })

  test('needs an Ed25519 key in PKCS #8', () => {
    const der = createPrivateKey({ key: Buffer.from(key.privateKey, 'base64'), format: 'der', type: 'pkcs8' })
    expect(der.asymmetricKeyType).toBe('ed25519')
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'der', type: 'pkcs8' })
    for (const wrong of ['', 'AAAA', other.toString('base64')]) {
      expect(() => signManifest(text, wrong)).toThrow('is not an Ed25519 key in PKCS #8')
    }
  })
})
