// How long certificates take to sign, compared with `nebula-cert sign`, which needs a process for each.
// Run: npx tsx bench/signing.ts
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'

import { createCa, exportCaKey } from '../src/pki/ca.ts'
import { generateNodeKeyPair, formatPublicKey } from '../src/pki/keys.ts'
import { signNode } from '../src/pki/sign.ts'

const [notBefore, notAfter] = [new Date(Date.now() - 60_000), new Date(Date.now() + 365 * 86_400_000)]
const limits = { networks: [], unsafeNetworks: [], groups: [] }
const { publicKey } = generateNodeKeyPair()

/** Milliseconds per certificate, and certificates per second. */
function rate(count: number, work: (index: number) => void) {
  const start = performance.now()
  for (let index = 0; index < count; index += 1) work(index)
  const each = (performance.now() - start) / count
  return { certificates: count, 'ms each': Number(each.toFixed(3)), 'a second': Math.round(1000 / each) }
}

function signing(version: 1 | 2, count: number) {
  const ca = createCa({ version, name: 'bench', notBefore, notAfter, ...limits })
  return rate(count, (index) =>
    signNode(ca, {
      version,
      name: `node-${index}`,
      networks: [`10.42.${index >> 8}.${index & 255 || 1}/16`],
      unsafeNetworks: ['192.168.1.0/24'],
      groups: ['servers', 'web'],
      notBefore,
      notAfter,
      publicKey,
    }),
  )
}

function withNebulaCert(count: number) {
  const folder = mkdtempSync(join(tmpdir(), 'orrery-bench-'))
  try {
    const ca = createCa({ version: 1, name: 'bench', notBefore, notAfter, ...limits })
    writeFileSync(join(folder, 'ca.crt'), ca.certificate.pem)
    writeFileSync(join(folder, 'ca.key'), exportCaKey(ca), { mode: 0o600 })
    writeFileSync(join(folder, 'node.pub'), formatPublicKey(publicKey))
    return rate(count, (index) => {
      const args = ['-name', `node-${index}`, '-ip', `10.42.0.${index + 1}/16`, '-subnets', '192.168.1.0/24']
      const files = ['-groups', 'servers,web', '-in-pub', 'node.pub', '-out-crt', `${index}.crt`]
      execFileSync('nebula-cert', ['sign', ...args, ...files], { cwd: folder, stdio: 'ignore' })
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function comparison() {
  try {
    return { 'nebula-cert sign, a process each': withNebulaCert(100) }
  } catch (error) {
    console.error(`no comparison: nebula-cert cannot be run (${(error as NodeJS.ErrnoException).code ?? 'it failed'})`)
    return {}
  }
}

signing(1, 200)
console.table({ 'version 1': signing(1, 5_000), 'version 2': signing(2, 5_000), ...comparison() })
