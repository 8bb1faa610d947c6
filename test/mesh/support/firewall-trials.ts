import type { Firewall, FirewallRule } from '../../../src/domain/clusters/firewall.ts'
import { writeFirewall } from '../../../src/domain/clusters/firewall.ts'
import type { Settings } from '../../../src/nebula/merge.ts'
import { decideReachability } from '../../../src/nebula/reachability/reachability.ts'
import { isAtLeast } from '../../../src/nebula/version.ts'
import { outboundCases, refusedCases, takenCases, type Through } from './firewall-cases.ts'
import { askers, compiledFirewall, control, openFirewall, type Answers, type FirewallLab } from './firewall-lab.ts'

/** The result of each case of the rules, by its title. */
export type Found = Readonly<Record<string, Through>>

/** The first port of each kind of rules: every rule is tested at a port of its own, all at once. */
export const firstPorts = { inbound: 20_000, outbound: 21_000 }
const inboundCases = [...takenCases, ...refusedCases]
export const ports = {
  inbound: inboundCases.map((_case, index) => firstPorts.inbound + index),
  outbound: outboundCases.map((_case, index) => firstPorts.outbound + index),
}

const anything = { port: 'any', proto: 'any' } as const
const everybody: FirewallRule = { ...anything, host: 'any' }
const controlled: FirewallRule = { port: String(control), proto: 'any', host: 'any' }
const firewall = (...inbound: FirewallRule[]): Firewall => ({
  inbound: [controlled, ...inbound],
  outbound: [everybody],
})
const withPort = (rule: Partial<FirewallRule>, port: number): FirewallRule => ({
  port: String(port),
  proto: 'any',
  ...rule,
})

/** The expected behaviour of a version of Nebula in a case. */
export const expected = (
  one: { readonly now: Through; readonly before?: Through & { since: string } },
  version: string,
) =>
  one.before === undefined || isAtLeast(version, one.before.since)
    ? one.now
    : { own: one.before.own, behind: one.before.behind }

/** Tests all inbound rules: those that the API accepts as they are compiled, the others as they are. */
export async function tryInbound(
  lab: FirewallLab,
): Promise<{ firewall: Settings; udp: Found; tcp: Found; pings: boolean }> {
  const compiled = compiledFirewall(
    firewall(...takenCases.map(({ rule }, index) => withPort(rule(lab), firstPorts.inbound + index))),
  ) as { inbound: Settings[] }
  const byHand = refusedCases.map(({ byHand }, index) =>
    withPort(byHand(lab), firstPorts.inbound + takenCases.length + index),
  )
  const { inbound } = writeFirewall({ inbound: byHand, outbound: [] }) as { inbound: Settings[] }
  const section = { ...compiled, inbound: [...compiled.inbound, ...inbound] }
  await lab.protect(section)
  const open = (person: string, where: 'own' | 'behind') =>
    ports.inbound.filter((_port, index) => {
      const one = inboundCases[index]
      return one && expected(one, lab.build.version)[where].includes(person.charAt(0))
    })
  const answers = await Promise.all(
    askers.map(async (person) => {
      const questions = (['own', 'behind'] as const).map((where) => {
        const address = where === 'own' ? lab.address('guarded') : lab.behind.address
        return { address, ports: ports.inbound, open: { udp: open(person, where), tcp: open(person, where) } }
      })
      const [own = none, behind = none] = await lab.ask(person, questions)
      return { person, own, behind }
    }),
  )
  const pings = await lab.pings('ann', lab.address('guarded'))
  const through = (protocol: 'udp' | 'tcp'): Found =>
    byTitle(inboundCases, (index) => {
      const letters = (where: 'own' | 'behind') =>
        answers
          .filter((answer) => answer[where][protocol].includes(firstPorts.inbound + index))
          .map(({ person }) => person.charAt(0))
          .join('')
      return { own: letters('own'), behind: letters('behind') }
    })
  return { firewall: section, udp: through('udp'), tcp: through('tcp'), pings }
}

/** Tests all outbound rules. */
export async function tryOutbound(lab: FirewallLab): Promise<{ firewall: Settings; found: Found }> {
  const rules = outboundCases.map(({ rule }, index) => withPort(rule(lab), firstPorts.outbound + index))
  const section = compiledFirewall({ inbound: [controlled], outbound: [controlled, ...rules] })
  await lab.protect(section)
  const questions = askers.map((person) => {
    const open = ports.outbound.filter((_port, index) => {
      const one = outboundCases[index]
      return one && expected(one, lab.build.version).own.includes(person.charAt(0))
    })
    return { address: lab.address(person), ports: ports.outbound, open: { udp: open, tcp: open } }
  })
  const answers = await lab.ask('guarded', questions)
  const found = byTitle(outboundCases, (index) => {
    const letters = (protocol: 'udp' | 'tcp') =>
      askers
        .filter((_person, at) => answers[at]?.[protocol].includes(firstPorts.outbound + index))
        .map((person) => person.charAt(0))
        .join('')
    return { own: letters('udp'), behind: letters('tcp') }
  })
  return { firewall: section, found }
}

/** Which of ann, ben and cat get through with a ping, and ann to the network behind; with the rules unchanged. */
export async function tryPings(lab: FirewallLab, ...rules: Settings[]): Promise<Through> {
  const { inbound, ...rest } = compiledFirewall(firewall()) as { inbound: Settings[] }
  await lab.protect({ ...rest, inbound: [...inbound, ...rules] })
  const own = await Promise.all(
    (['ann', 'ben', 'cat'] as const).map(async (person) =>
      (await lab.pings(person, lab.address('guarded'))) ? person.charAt(0) : '',
    ),
  )
  return { own: own.join(''), behind: (await lab.pings('ann', lab.behind.address)) ? 'a' : '' }
}

/** Which of two ports answer ann, ben and cat, with rules that the API accepts; also fragmented datagrams. */
export async function tryProtocols(
  lab: FirewallLab,
  open: Partial<Answers>,
  ...rules: FirewallRule[]
): Promise<Answers[]> {
  await lab.protect(compiledFirewall(firewall(...rules)))
  const questions = [{ address: lab.address('guarded'), ports: ports.inbound.slice(0, 2), open }]
  const asked = (['ann', 'ben', 'cat'] as const).map((person) =>
    lab.ask(person, person === 'ann' ? questions : questions.map((one) => ({ ...one, open: {} })), { large: true }),
  )
  return (await Promise.all(asked)).flatMap((answers) => answers.map(sorted))
}

/** Whether ann reaches the network behind the guarded machine through an open firewall, with a setting or without it. */
export async function tryRouted(lab: FirewallLab, setting: 'as compiled' | 'left out' | false): Promise<boolean> {
  const { default_local_cidr_any: compiled, ...rest } = compiledFirewall(openFirewall)
  const value = setting === 'as compiled' ? compiled : setting === 'left out' ? undefined : setting
  await lab.protect({ ...rest, ...(value === undefined ? {} : { default_local_cidr_any: value }) })
  return lab.pings('ann', lab.behind.address)
}

/** Which side refuses closed connections explicitly with `inbound_action: reject`. */
export async function tryReject(lab: FirewallLab): Promise<{ inbound: boolean; outbound: boolean }> {
  await lab.protect({
    ...compiledFirewall({ inbound: [controlled], outbound: [controlled] }),
    inbound_action: 'reject',
  })
  const [inbound, outbound] = await Promise.all([
    lab.refuses('ann', lab.address('guarded'), firstPorts.inbound),
    lab.refuses('guarded', lab.address('ann'), firstPorts.outbound),
  ])
  return { inbound, outbound }
}

/** Whether Nebula accepts a rule with both group and groups, and one that names only an address of its own side. */
export const tryToStart = async (lab: FirewallLab) => ({
  'group and groups': await lab.accepts({ inbound: [{ ...anything, group: 'lab', groups: ['ops'] }] }),
  'local_cidr alone': await lab.accepts({ inbound: [{ ...anything, local_cidr: lab.behind.network }] }),
})

/** Who reaches the guarded machine with a ping, by a rule that names only an address of its own side. */
export const tryLocalAlone = async (lab: FirewallLab): Promise<Through | null> =>
  isAtLeast(lab.build.version, '1.9.0')
    ? tryPings(lab, { port: 'any', proto: 'icmp', local_cidr: lab.behind.network })
    : null

/** Whether a machine that no rule lets in gets through with a ping once the guarded machine has sent one. */
export async function tryIcmpBack(lab: FirewallLab): Promise<boolean> {
  await lab.protect(compiledFirewall(firewall()))
  await lab.pings('guarded', lab.address('cat'))
  return lab.pings('cat', lab.address('guarded'))
}

const none: Answers = { udp: [], tcp: [], large: [] }
const sorted = ({ udp, tcp, large }: Answers): Answers => ({
  udp: udp.toSorted(),
  tcp: tcp.toSorted(),
  large: large.toSorted(),
})

const byTitle = (cases: readonly { readonly title: string }[], through: (index: number) => Through): Found =>
  Object.fromEntries(cases.map(({ title }, index) => [title, through(index)]))

/** What `decideReachability` says of the inbound rules, in the form of what was found. */
export function decidedInbound(lab: FirewallLab, firewall: Settings, protocol: 'udp' | 'tcp'): Found {
  const guarded = lab.machine('guarded', firewall)
  return byTitle(inboundCases, (index) => {
    const letters = (destination: string) =>
      askers
        .filter((person) => {
          const packet = { protocol, port: firstPorts.inbound + index, destination }
          const machine = lab.machine(person, compiledFirewall(openFirewall))
          return decideReachability(machine, guarded, packet, new Date()).obstacles.length === 0
        })
        .map((person) => person.charAt(0))
        .join('')
    return { own: letters(lab.address('guarded')), behind: letters(lab.behind.address) }
  })
}

/** The same of the outbound rules. */
export function decidedOutbound(lab: FirewallLab, firewall: Settings): Found {
  const guarded = lab.machine('guarded', firewall)
  return byTitle(outboundCases, (index) => {
    const letters = (protocol: 'udp' | 'tcp') =>
      askers
        .filter((person) => {
          const packet = { protocol, port: firstPorts.outbound + index, destination: lab.address(person) }
          const machine = lab.machine(person, compiledFirewall(openFirewall))
          return decideReachability(guarded, machine, packet, new Date()).obstacles.length === 0
        })
        .map((person) => person.charAt(0))
        .join('')
    return { own: letters('udp'), behind: letters('tcp') }
  })
}
