/** The attackers' process: it receives its target, and reports the results of its requests once a second. */
import { attackOf, uploadOf, type Attack, type Send, type Target } from './attacks.ts'
import { packBundle } from '../../src/domain/bundles/compile/pack.ts'

const counts: Record<string, number> = {}

process.once('message', ({ target, only }: { target: Target; only: string[] }) => {
  void attack(target, only)
})

async function attack(target: Target, only: readonly string[]): Promise<void> {
  await publishThree(target)
  process.send?.('ready')
  setInterval(() => process.send?.(counts), 500)
  for (const name of only) {
    const one = attackOf(name)
    for (let place = 0; place < one.atOnce; place += 1) void again(name, one, target)
  }
}

/** Publishes three versions, each different from the one before, for attacks that compare them. */
async function publishThree({ address, admin, clusterId }: Target): Promise<void> {
  for (let version = 1; version <= 3; version += 1) {
    const lines = Array.from({ length: 900 }, (_, line) => `${version}-${line}\n`).join('')
    const archive = await packBundle([
      { path: 'config.yml', content: Buffer.from(`listen:\n  port: 424${version}\n`) },
      ...Array.from({ length: 50 }, (_, index) => ({ path: `text-${index}.txt`, content: Buffer.from(lines) })),
    ])
    const headers = { authorization: `Bearer ${admin}`, 'x-orrery-csrf': '1' }
    const body = uploadOf(clusterId, new Uint8Array(archive))
    const response = await fetch(`${address}/graphql`, { method: 'POST', headers, body })
    const text = await response.text()
    if (!text.includes('CreateConfigBundlePayload')) throw new Error(`nothing was published: ${text}`)
  }
}

async function again(name: string, { patience, request }: Attack, target: Target): Promise<void> {
  for (let round = 0; ; round += 1) {
    const send: Send = async ({ token, body, path = '/graphql' }) => {
      const headers = {
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        ...(typeof body === 'string' && body !== '' ? { 'content-type': 'application/json' } : {}),
        'x-orrery-csrf': '1',
      }
      const init = body === '' ? {} : { method: 'POST', body }
      const signal = patience === null ? null : AbortSignal.timeout(patience)
      try {
        const response = await fetch(target.address + path, { ...init, headers, signal })
        await response.arrayBuffer()
        count(`${name}: ${response.status}`)
      } catch (error) {
        count(`${name}: ${error instanceof Error ? error.name : 'failed'}`)
        // Do not retry in a tight loop while the server refuses connections.
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    }
    await request(send, target, round)
  }
}

function count(what: string): void {
  counts[what] = (counts[what] ?? 0) + 1
}
