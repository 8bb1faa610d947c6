import { createDecipheriv } from 'node:crypto'

import { hashRaw } from '@node-rs/argon2'

import { Mutex } from '../base/mutex.ts'
import { PkiError } from './errors.ts'
import { readProtobuf } from './encoding/protobuf.ts'

export const encryptedKeyBanner = 'NEBULA ED25519 ENCRYPTED PRIVATE KEY'

/** KiB: 2 GiB, the default of `nebula-cert ca -encrypt`. */
const maximumMemory = 2 * 1024 * 1024
/** KiB that are read and written in all (memory times passes), about fifteen seconds of one core. */
const maximumWork = 4 * maximumMemory

interface EncryptedKey {
  readonly memory: number
  readonly iterations: number
  readonly parallelism: number
  readonly salt: Uint8Array
  /** 12 bytes of nonce, the ciphertext, 16 bytes of tag. */
  readonly sealed: Uint8Array
}

/**
 * Decrypts a CA key that nebula-cert ≥ 1.7 encrypted (slackhq/nebula cert/crypto.go): AES-256-GCM under a key that
 * argon2id (RFC 9106) derives from the passphrase. Takes seconds and up to 2 GiB, off the event loop, one at a time.
 * @throws PkiError when the passphrase is wrong, or the parameters ask for more than is allowed or free
 */
export async function decryptSigningKey(bytes: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const encrypted = decode(bytes)
  const key = await deriving.alone(() => deriveKey(encrypted, passphrase))
  const { sealed } = encrypted
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, 12))
  decipher.setAuthTag(sealed.subarray(-16))
  try {
    return Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()])
  } catch (cause) {
    throw new PkiError('passphrase', 'is wrong, or the key is damaged', { cause })
  }
}

async function deriveKey({ memory, iterations, parallelism, salt }: EncryptedKey, passphrase: string): Promise<Buffer> {
  // An allocation that fails ends the process, and one that the machine cannot back gets it killed: check first.
  const free = Math.floor(process.availableMemory() / 1024)
  if (memory > free * 0.75) {
    throw new PkiError(
      'key',
      `needs ${Math.ceil(memory / 1024)} MiB of memory to decrypt and this machine has ${Math.floor(free / 1024)} MiB free:` +
        ' encrypt it with a smaller -argon-memory, or give it decrypted',
    )
  }
  try {
    // argon2id, version 1.3: the library's default, whose enum cannot be named where files are compiled one by one.
    return await hashRaw(Buffer.from(passphrase), {
      memoryCost: memory,
      timeCost: iterations,
      parallelism,
      salt,
      outputLen: 32,
    })
  } catch (cause) {
    throw new PkiError('key', 'is encrypted with parameters that argon2id does not have', { cause })
  }
}

/** Several keys at once would each take their gigabytes. */
const deriving = new Mutex()

const malformed = (problem: string) => new PkiError('key', `is not an encrypted key of nebula-cert: ${problem}`)

/** RawNebulaEncryptedData of slackhq/nebula cert/cert_v1.proto. */
function decode(bytes: Uint8Array): EncryptedKey {
  const data = fieldsOf(bytes)
  const metadata = fieldsOf(data.bytes(1))
  const algorithm = Buffer.from(metadata.bytes(1)).toString('latin1')
  if (algorithm !== 'AES-256-GCM') throw malformed('its algorithm is not AES-256-GCM')
  const argon2 = fieldsOf(metadata.bytes(2))
  if (argon2.number(1) !== 0x13) throw malformed('its version of argon2 is not 1.3')
  const [memory, iterations, parallelism] = [argon2.number(2), argon2.number(3), argon2.number(4)]
  const [salt, sealed] = [argon2.bytes(5), data.bytes(2)]
  if (iterations < 1 || parallelism < 1 || parallelism > 255 || memory < 8 * parallelism) {
    throw malformed('its argon2id parameters are too small or too large')
  }
  if (memory > maximumMemory || memory * iterations > maximumWork) {
    throw malformed(`its argon2id parameters ask for more work than ${maximumMemory} KiB in 4 iterations`)
  }
  if (salt.length < 8 || salt.length > 64) throw malformed(`its salt has ${salt.length} bytes, 8 to 64 are allowed`)
  if (sealed.length <= 28) throw malformed('it is cut off')
  return { memory, iterations, parallelism, salt, sealed }
}

function fieldsOf(bytes: Uint8Array) {
  const fields = new Map([...readProtobuf(bytes, malformed)].map((field) => [field.number, field]))
  return {
    number: (number: number): number => {
      const field = fields.get(number)
      return field?.type === 'varint' ? field.value : 0
    },
    bytes: (number: number): Uint8Array => {
      const field = fields.get(number)
      return field?.type === 'bytes' ? field.value : new Uint8Array()
    },
  }
}
