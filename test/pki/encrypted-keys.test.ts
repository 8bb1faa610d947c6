import { expect, jest, test } from '@jest/globals'

import type * as Argon2 from '@node-rs/argon2'

/** How many derivations ran at once, at most. */
const seen = { running: 0, most: 0, count: 0 }

// Both this test's keys and Orrery derive with it.
const real = await import('@node-rs/argon2')
const hashRaw: typeof Argon2.hashRaw = async (...given) => {
  seen.running += 1
  seen.count += 1
  seen.most = Math.max(seen.most, seen.running)
  try {
    return await real.hashRaw(...given)
  } finally {
    seen.running -= 1
  }
}
jest.unstable_mockModule('@node-rs/argon2', () => ({ hashRaw }))
const { decryptSigningKey } = await import('../../src/pki/encrypted-key.ts')
const { encryptedKey } = await import('./encrypted-key.ts')
const { readPemBlock } = await import('../../src/pki/encoding/pem.ts')

test('of several keys with a passphrase, one is decrypted at a time, and a wrong passphrase is only its own', async () => {
  const keys = [1, 2, 3].map((byte) => new Uint8Array(64).fill(byte))
  const files: Uint8Array[] = []
  for (const key of keys) files.push(readPemBlock(await encryptedKey(key, 'open'), 'key').bytes)
  Object.assign(seen, { most: 0, count: 0 })
  const outcomes = await Promise.allSettled(
    files.map((file, index) => decryptSigningKey(file, index === 1 ? 'wrong' : 'open')),
  )
  expect(outcomes.map((one) => (one.status === 'fulfilled' ? one.value[0] : String(one.reason)))).toEqual([
    1,
    expect.stringContaining('is wrong'),
    3,
  ])
  expect(seen).toEqual({ running: 0, most: 1, count: 3 })
})
