import { execFileSync, spawnSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Real private keys by kind, in DER: each kind that node:crypto makes, in each of its encodings. */
export function keysOfNode(): Record<string, Buffer> {
  const pairs: Record<string, KeyObject> = {
    ed25519: generateKeyPairSync('ed25519').privateKey,
    x25519: generateKeyPairSync('x25519').privateKey,
    ed448: generateKeyPairSync('ed448').privateKey,
    x448: generateKeyPairSync('x448').privateKey,
    'rsa 1024': generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey,
    'rsa 3072': generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey,
    'rsa-pss': generateKeyPairSync('rsa-pss', { modulusLength: 1024 }).privateKey,
    dsa: generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 }).privateKey,
    'ec p-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    'ec p-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }).privateKey,
    'ec explicit': generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' }).privateKey,
    'ec secp256k1': generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
  }
  const keys: Record<string, Buffer> = {}
  for (const [name, key] of Object.entries(pairs)) {
    keys[`${name}, PKCS #8`] = key.export({ type: 'pkcs8', format: 'der' })
    keys[`${name}, encrypted`] = key.export({
      type: 'pkcs8',
      format: 'der',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    })
    if (/^rsa \d/.test(name)) keys[`${name}, PKCS #1`] = key.export({ type: 'pkcs1', format: 'der' })
    if (name.startsWith('ec ')) keys[`${name}, SEC 1`] = key.export({ type: 'sec1', format: 'der' })
  }
  return keys
}

/** Files with private keys, made by the programs that this machine has. */
export function keysOfPrograms(): Record<string, Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-keys-'))
  const run = (program: string, ...args: string[]) =>
    execFileSync(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  const file = (name: string) => readFileSync(join(folder, name))
  const keys: Record<string, Buffer> = {}
  try {
    if (isThere('openssl', 'version')) {
      run(
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'rsa:1024',
        '-nodes',
        '-subj',
        '/CN=a',
        '-keyout',
        'k.pem',
        '-out',
        'c.pem',
      )
      run('openssl', 'pkcs12', '-export', '-inkey', 'k.pem', '-in', 'c.pem', '-passout', 'pass:secret', '-out', 'k.p12')
      run('openssl', 'rsa', '-in', 'k.pem', '-outform', 'MSBLOB', '-out', 'k.blob')
      run('openssl', 'rsa', '-in', 'k.pem', '-traditional', '-aes128', '-passout', 'pass:secret', '-out', 'k.aes')
      run('openssl', 'dsaparam', '-genkey', '-out', 'd.pem', '1024')
      run('openssl', 'dsa', '-in', 'd.pem', '-outform', 'DER', '-out', 'd.der')
      keys['openssl, PKCS #12'] = file('k.p12')
      run('openssl', 'rsa', '-in', 'k.pem', '-outform', 'PVK', '-pvk-none', '-out', 'k.pvk')
      keys['openssl, MSBLOB'] = file('k.blob')
      keys['openssl, PVK'] = file('k.pvk')
      keys['openssl, RSA of old with a password'] = file('k.aes')
      keys['openssl, DSA of old'] = file('d.der')
    }
    if (isThere('ssh-keygen', '-?')) {
      for (const type of ['ed25519', 'rsa', 'ecdsa']) {
        run('ssh-keygen', '-q', '-t', type, '-N', '', '-f', `ssh-${type}`)
        keys[`ssh-keygen, ${type}`] = file(`ssh-${type}`)
      }
      run('ssh-keygen', '-q', '-t', 'ed25519', '-N', 'secret', '-f', 'ssh-secret')
      keys['ssh-keygen, with a password'] = file('ssh-secret')
    }
    if (isThere('nebula-cert', '-version')) {
      run('nebula-cert', 'ca', '-name', 'acme')
      run('nebula-cert', 'keygen', '-out-key', 'host.key', '-out-pub', 'host.pub')
      keys['nebula-cert, a CA'] = file('ca.key')
      keys['nebula-cert, a node'] = file('host.key')
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
  return keys
}

/** Whether a program can be started; its answer does not matter. */
function isThere(program: string, ...args: string[]): boolean {
  const { error } = spawnSync(program, args, { stdio: 'ignore' })
  // In CI nothing is skipped silently.
  if (error && process.env['CI']) throw new Error(`${program} is missing`, { cause: error })
  return error === undefined
}

/** Files that look like private keys and are not, made by openssl where it is installed. */
export function filesBesideKeys(): Record<string, Buffer> {
  const files: Record<string, Buffer> = {}
  if (!isThere('openssl', 'version')) return files
  const folder = mkdtempSync(join(tmpdir(), 'orrery-certificates-'))
  const openssl = (...args: string[]) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] })
  try {
    for (const [name, ...algorithm] of [
      ['rsa', 'rsa:1024'],
      ['ec', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'],
      ['ed25519', 'ed25519'],
    ] as const) {
      const key = `${name}.key`
      openssl('req', '-new', '-newkey', ...algorithm, '-nodes', '-subj', '/CN=a', '-keyout', key, '-out', 'a.csr')
      // Of version 1, and with the serial number 0: it begins as PKCS #8 does.
      openssl('x509', '-req', '-in', 'a.csr', '-signkey', key, '-set_serial', '0', '-outform', 'DER', '-out', 'a.crt')
      openssl('req', '-in', 'a.csr', '-outform', 'DER', '-out', 'a.der')
      files[`${name}, certificate`] = readFileSync(join(folder, 'a.crt'))
      files[`${name}, request`] = readFileSync(join(folder, 'a.der'))
    }
    return files
  } finally {
    rmSync(folder, { recursive: true })
  }
}
