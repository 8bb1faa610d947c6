import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals'

import { firewallRule, type FirewallRule } from '../../src/domain/clusters/firewall.ts'
import { isAtLeast } from '../../src/nebula/version.ts'
import { nebulaBuilds } from '../support/nebula-versions.ts'
import { outboundCases, refusedCases, takenCases } from './support/firewall-cases.ts'
import { answerOn, askers, FirewallLab, people, type Machines, type Person } from './support/firewall-lab.ts'
import * as trials from './support/firewall-trials.ts'
import { Lab, type Machine } from './support/lab.ts'
import { describeMesh } from './support/requirements.ts'

// Everything is tried in `beforeAll`, with all versions at once; the tests say what came of it.
jest.setTimeout(240_000)

const builds = nebulaBuilds()
const versions = builds.map(({ version }) => version)
/** Of which the suite is to have one each; what is missing is said. */
const releases = ['1.6', '1.9', '1.11']

const first = trials.firstPorts.inbound
const anyPort = { port: 'any' } as const

/** All trials with one version, one after the other: each replaces the firewall of the guarded machine by SIGHUP. */
async function tryAll(lab: FirewallLab) {
  const inbound = await trials.tryInbound(lab)
  return {
    inbound,
    icmpOfGroup: await trials.tryPings(lab, { ...anyPort, proto: 'icmp', group: 'lab' }),
    icmpWithPort: await trials.tryPings(lab, { port: 80, proto: 'icmp', host: 'any' }),
    localAlone: await trials.tryLocalAlone(lab),
    starts: await trials.tryToStart(lab),
    routed: {
      'as compiled': await trials.tryRouted(lab, 'as compiled'),
      'left out': await trials.tryRouted(lab, 'left out'),
      false: await trials.tryRouted(lab, false),
    },
    outbound: await trials.tryOutbound(lab),
    protocols: await trials.tryProtocols(
      lab,
      { tcp: [first, first + 1] },
      { ...anyPort, proto: 'tcp', group: 'ops' },
      { port: `${first + 1}-${first + 9}`, proto: 'udp', group: 'lab' },
    ),
    fragments: await trials.tryProtocols(
      lab,
      { udp: [first], large: [first] },
      { port: String(first), proto: 'udp', host: 'any' },
      { port: 'fragment', proto: 'any', group: 'ops' },
    ),
    icmpBack: await trials.tryIcmpBack(lab),
    reject: await trials.tryReject(lab),
  }
}

describeMesh(`the firewall lets through what the API says, by packets, with Nebula ${versions.join(', ')}`, () => {
  let lab: Lab | null = null
  let labs: FirewallLab[] = []
  const results = new Map<string, Awaited<ReturnType<typeof tryAll>>>()

  beforeAll(async () => {
    const opened = await Lab.open()
    lab = opened
    const made: Partial<Record<Person, Machine>> = {}
    for (const name of Object.keys(people) as Person[]) made[name] = await opened.machine(name)
    const machines = made as Machines
    labs = builds.map((build, index) => new FirewallLab(opened, machines, build, index))
    try {
      await Promise.all(labs.map((one) => one.start()))
      const listening = askers.map((person) => answerOn(labs, machines, person, trials.ports.outbound))
      await Promise.all([answerOn(labs, machines, 'guarded', trials.ports.inbound), ...listening])
      await Promise.all(labs.map(async (one) => results.set(one.build.version, await tryAll(one))))
    } catch (error) {
      process.stderr.write(`${opened.logs()}\n`)
      throw error
    }
  })
  afterAll(async () => {
    await lab?.destroy()
  })

  const of = (version: string) => {
    const found = results.get(version)
    if (!found) throw new Error(`nothing was tried with Nebula ${version}`)
    return found
  }
  const taken = (rule: Partial<FirewallRule>) =>
    firewallRule.safeParse({ inbound: [{ port: '1', proto: 'any', ...rule }], outbound: [] })
  const anyLab = () => {
    const [one] = labs
    if (!one) throw new Error('there is no Nebula here')
    return one
  }

  for (const release of releases) {
    const have = versions.filter((version) => version.startsWith(`${release}.`))
    if (have.length === 0) test.skip(`Nebula ${release} cannot be had here: nothing is tried with it`, () => undefined)
    else test(`Nebula ${release} is tried: ${have.join(', ')}`, () => expect(results.has(have[0] ?? '')).toBe(true))
  }

  describe.each(versions)('Nebula %s', (version) => {
    test.each(takenCases)('a rule with $title', (one) => {
      expect(taken(one.rule(anyLab())).success).toBe(true)
      const { udp, tcp } = of(version).inbound
      const wanted = trials.expected(one, version)
      expect({ udp: udp[one.title], tcp: tcp[one.title] }).toEqual({ udp: wanted, tcp: wanted })
    })

    test.each(refusedCases)('a rule with $title, which the API refuses', (one) => {
      expect(taken(one.byHand(anyLab())).error?.issues[0]?.message).toMatch(one.says)
      const { udp, tcp } = of(version).inbound
      const wanted = trials.expected(one, version)
      expect({ udp: udp[one.title], tcp: tcp[one.title] }).toEqual({ udp: wanted, tcp: wanted })
    })

    test.each(outboundCases)('an outbound rule with $title', (one) => {
      const wanted = trials.expected(one, version).own
      expect(of(version).outbound.found[one.title]).toEqual({ own: wanted, behind: wanted })
    })

    test('Cluster.reachability says the same of each of these rules as the packets', () => {
      const lab = labs.find(({ build }) => build.version === version)
      if (!lab) throw new Error(`there is no Nebula ${version} here`)
      const { inbound, outbound } = of(version)
      expect(trials.decidedInbound(lab, inbound.firewall, 'udp')).toEqual(inbound.udp)
      expect(trials.decidedInbound(lab, inbound.firewall, 'tcp')).toEqual(inbound.tcp)
      expect(trials.decidedOutbound(lab, outbound.firewall)).toEqual(outbound.found)
    })

    test('rules for ports are none for ICMP', () => {
      expect(of(version).inbound.pings).toBe(false)
    })

    test('group and groups, which the API refuses, keep Nebula from starting', () => {
      expect(taken({ group: 'lab', groups: ['ops'] }).error?.issues[0]?.message).toMatch(/takes one of host, group/)
      expect(of(version).starts['group and groups']).toBe(false)
    })

    test('localCidr alone is for everybody who comes to that network; before 1.9, for none and no start', () => {
      expect(taken({ localCidr: '10.9.0.0/16' }).success).toBe(true)
      const knows = isAtLeast(version, '1.9.0')
      expect(of(version).starts['local_cidr alone']).toBe(knows)
      expect(of(version).localAlone).toEqual(knows ? { own: '', behind: 'a' } : null)
    })

    test('ICMP of a group; nobody else pings', () => {
      expect(of(version).icmpOfGroup).toEqual({ own: 'b', behind: '' })
    })

    test('ICMP with a port, which the API refuses: for nobody before 1.11, for everybody from then on', () => {
      expect(taken({ port: '80', proto: 'icmp', host: 'any' }).error?.issues[0]?.message).toMatch(/ICMP has no ports/)
      expect(of(version).icmpWithPort).toEqual(
        isAtLeast(version, '1.11.0') ? { own: 'abc', behind: 'a' } : { own: '', behind: '' },
      )
    })

    test('all ports of TCP and a range of UDP, each of a group', () => {
      const tcp = [first, first + 1]
      expect(of(version).protocols).toEqual([
        { udp: [], tcp, large: [] },
        { udp: [first + 1], tcp, large: [] },
        { udp: [], tcp: [], large: [] },
      ])
    })

    test('fragments behind the first have no port: they are let through by a rule of their own', () => {
      expect(of(version).fragments).toEqual([
        { udp: [first], tcp: [], large: [first] },
        { udp: [first], tcp: [], large: [first] },
        { udp: [first], tcp: [], large: [] },
      ])
    })

    test('a network behind a node is reached through the rules that a cluster starts with', () => {
      expect(of(version).routed).toEqual({
        'as compiled': true,
        // Nebula 1.10 turned the default.
        'left out': !isAtLeast(version, '1.10.0'),
        // Before 1.9 there is no such setting.
        false: !isAtLeast(version, '1.9.0'),
      })
    })

    test('inbound_action: unknown before 1.7, of the other direction before 1.11', () => {
      const [knows, isRight] = [isAtLeast(version, '1.7.0'), isAtLeast(version, '1.11.0')]
      expect(of(version).reject).toEqual({ inbound: isRight, outbound: knows && !isRight })
    })

    test('before 1.11, a node that pings somebody opens ICMP for them', () => {
      expect(of(version).icmpBack).toBe(!isAtLeast(version, '1.11.0'))
    })
  })
})
