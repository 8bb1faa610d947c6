/**
 * From a mutation to a changed network: removes a firewall rule and adds it again, and measures the time until a ping
 * between two nodes stops and starts. Real nodes in network namespaces; needs root, nebula, iproute2 and ping.
 *
 *   npx tsx bench/packet-path.ts
 *
 * In the same run: when the new version was published (from the control plane), when the agent had it and made Nebula
 * reload (from its log), and how long Nebula took from there (the ping).
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { Lab } from '../test/mesh/support/lab.ts'
import { ControlPlane, Mesh, type Member } from '../test/mesh/support/mesh.ts'
import { eventually, reaches } from '../test/mesh/support/pings.ts'

const rounds = 10
const open = [{ port: 'any', proto: 'ANY', host: 'any' }]
const tcpOnly = [{ port: 'any', proto: 'TCP', host: 'any' }]

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

/** The time, in milliseconds since 1970, of the newest line with a message in an agent's log. */
function lastLine(member: Member, message: string): number {
  const line =
    member.agent
      .output()
      .split('\n')
      .findLast((one) => one.includes(`"msg":"${message}`)) ?? '{}'
  const { time } = JSON.parse(line) as { time?: string }
  return time === undefined ? NaN : Date.parse(time)
}

const lab = await Lab.open()
try {
  const plane = new ControlPlane(lab, await lab.machine('server'))
  await plane.start()
  const mesh = await Mesh.create(lab, plane)
  const tower = await lab.machine('tower')
  const lighthouse = await mesh.joinAnnounced(tower, { isLighthouse: true, lighthousePublicIp: tower.address })
  const node = await mesh.join(await lab.machine('node'))
  // Only from this side: traffic that the node itself sends would let the answers in, and with them these pings.
  await eventually('the lighthouse reaches the node', () => reaches(lighthouse.machine, node.overlayIp))
  await sleep(3000)

  const figures: Record<string, number[]> = { published: [], switching: [], reloaded: [], packets: [] }
  for (let round = 0; round < rounds; round += 1) {
    const isOpen = round % 2 === 1
    const inbound = isOpen ? open : tcpOnly
    const from = Date.now()
    await plane.mutate(
      'updateClusterFirewall',
      { clusterId: mesh.clusterId, firewall: { inbound, outbound: open } },
      '__typename',
    )
    let published = NaN
    for (;;) {
      if (Number.isNaN(published)) {
        const { configVersion, latestBundle } = await mesh.cluster<{
          configVersion: number
          latestBundle: { version: number; createdAt: string } | null
        }>('configVersion latestBundle { version createdAt }')
        if (latestBundle?.version === configVersion) published = Date.parse(latestBundle.createdAt)
      }
      // A ping every 20 ms, each with 20 ms for its answer.
      const answered = await lighthouse.machine.exec('ping', '-c', '1', '-W', '0.02', node.overlayIp).then(
        () => true,
        () => false,
      )
      if (answered === isOpen) break
      if (Date.now() - from > 30_000) throw new Error(`round ${round}: nothing changed within 30 s`)
    }
    figures['packets']?.push(Date.now() - from)
    await sleep(1500)
    figures['published']?.push(published - from)
    figures['switching']?.push(lastLine(node, 'switching') - from)
    figures['reloaded']?.push(lastLine(node, 'nebula: Caught HUP') - from)
  }
  const row = (name: string, what: string) =>
    console.log(`${what.padEnd(58)} ${String(Math.round(median(figures[name] ?? []))).padStart(6)} ms`)
  console.log(`from the mutation, median of ${rounds} rounds`)
  row('published', 'the version is stored')
  row('switching', 'the agent has verified and written it')
  row('reloaded', 'Nebula has caught SIGHUP')
  row('packets', 'packets are treated anew')
} finally {
  await lab.destroy()
}
