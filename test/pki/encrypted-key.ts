import { createCipheriv, randomBytes } from 'node:crypto'

import { hashRaw } from '@node-rs/argon2'

import { writePem } from '../../src/pki/encoding/pem.ts'
import { ProtobufWriter } from '../../src/pki/encoding/protobuf.ts'

/** argon2id's parameters in a key file; tiny ones, so that tests take milliseconds. */
const parameters = { algorithm: 'AES-256-GCM', version: 19, memory: 64, iterations: 1, parallelism: 2, saltLength: 32 }

/** A key file as `nebula-cert ca -encrypt` writes it, with any parameters: also those that must be refused. */
export async function encryptedKey(
  key: Uint8Array,
  passphrase: string,
  changed: Partial<typeof parameters> = {},
): Promise<string> {
  const stated = { ...parameters, ...changed }
  const [salt, nonce] = [randomBytes(stated.saltLength), randomBytes(12)]
  const derived = await hashRaw(passphrase, {
    memoryCost: parameters.memory,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
    salt: stated.saltLength < 8 ? Buffer.alloc(8) : salt,
    outputLen: 32,
  })
  const cipher = createCipheriv('aes-256-gcm', derived, nonce)
  const sealed = Buffer.concat([nonce, cipher.update(key), cipher.final(), cipher.getAuthTag()])
  const argon2 = new ProtobufWriter()
    .varint(1, stated.version)
    .varint(2, stated.memory)
    .varint(3, stated.iterations)
    .varint(4, stated.parallelism)
    .bytes(5, salt)
  const metadata = new ProtobufWriter().string(1, stated.algorithm).message(2, argon2.finish())
  const bytes = new ProtobufWriter().message(1, metadata.finish()).bytes(2, sealed).finish()
  return writePem({ banner: 'NEBULA ED25519 ENCRYPTED PRIVATE KEY', bytes })
}
