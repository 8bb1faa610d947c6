import { intervalOf, meet } from '../../base/networks.ts'
import { breaks } from '../../base/pieces.ts'
import { parseCaCertificates } from '../../pki/certificate.ts'
import { trustedCas } from '../pki/cluster-ca.ts'
import type { Firewall, FirewallRule } from '../clusters/firewall.ts'
import type { ClusterFacts } from './facts.ts'
import { heldByNobody } from './groups.ts'
import { mostWarnings, several, type ChangeWarning } from './warning.ts'

/** A rule, and the path to it. */
interface Placed {
  readonly rule: FirewallRule
  readonly path: readonly string[]
}

/**
 * Warnings about sides and rules of a firewall that let nothing through, or everything although other rules are
 * narrower.
 * @param at the path to the firewall; with `isWhole`, all warnings use this path, such as for an upload, whose rules
 * have no paths
 */
export async function firewallWarnings(
  facts: ClusterFacts,
  firewall: Firewall,
  { at, isWhole = false }: { readonly at: readonly string[]; readonly isWhole?: boolean },
): Promise<ChangeWarning[]> {
  const placed = (['inbound', 'outbound'] as const).flatMap((side) =>
    firewall[side].map((rule, index): Placed => ({ rule, path: [...at, side, String(index)] })),
  )
  const found = [
    ...closedSides(firewall, at),
    ...openSides(firewall, at),
    ...(await unknownGroups(facts, placed)),
    ...(await unknownHosts(facts, placed)),
    ...(await unreachedNetworks(facts, placed)),
    ...(await unknownCas(facts, placed)),
  ].slice(0, mostWarnings)
  if (!isWhole) return found
  return found.map(({ path, message, ...rest }) => ({
    ...rest,
    path: at,
    message: `firewall.${path.slice(at.length).join('.')}: ${message}`,
  }))
}

function closedSides({ inbound, outbound }: Firewall, at: readonly string[]): ChangeWarning[] {
  const message = (what: string) => `has no rule: ${what}. Add a rule, or one for host "any" to let everything pass`
  return [
    ...(inbound.length > 0
      ? []
      : [{ code: 'NOBODY_IN', path: [...at, 'inbound'], message: message('no node lets anybody in') } as const]),
    ...(outbound.length > 0
      ? []
      : [
          {
            code: 'NOTHING_OUT',
            path: [...at, 'outbound'],
            message: message('no node can begin to talk to another'),
          } as const,
        ]),
  ]
}

/** If a side has a rule for everything, its other rules have no effect. */
const openSides = (firewall: Firewall, at: readonly string[]): ChangeWarning[] =>
  (['inbound', 'outbound'] as const).flatMap((side) => {
    const rules = firewall[side]
    const open = rules.findIndex(isForEverything)
    if (open === -1 || rules.length === 1) return []
    const message = `lets everything pass, so that the other rules of the list change nothing (${rules.length - 1} of them): delete it if they are to keep anybody out, or delete them`
    return [{ code: 'WITHOUT_EFFECT', path: [...at, side, String(open)], message }]
  })

const isForEverything = ({ port, proto, host, group, groups, localCidr, caName, caSha }: FirewallRule): boolean =>
  port === 'any' &&
  proto === 'any' &&
  [host, group, groups?.[0]].includes('any') &&
  [localCidr, caName, caSha].every((one) => one === undefined)

async function unknownGroups(facts: ClusterFacts, placed: readonly Placed[]): Promise<ChangeWarning[]> {
  const named = placed.flatMap(({ rule: { group, groups }, path }) => {
    const wanted = (groups ?? (group === undefined ? [] : [group])).filter((one) => one !== 'any')
    return wanted.length === 0 ? [] : [{ wanted, path: [...path, groups ? 'groups' : 'group'] }]
  })
  return (await heldByNobody(facts, named)).map(({ wanted, path }) => {
    const [only, ...others] = wanted
    const what = others.length > 0 ? `all of the groups ${several(wanted)}` : `the group "${only ?? ''}"`
    const message = `no node of the cluster has ${what}, so that the rule is for nobody: give it to nodes, or see whether it is written as theirs`
    return { code: 'UNKNOWN_GROUP', path, message }
  })
}

async function unknownHosts(facts: ClusterFacts, placed: readonly Placed[]): Promise<ChangeWarning[]> {
  const named = placed.flatMap(({ rule: { host }, path }) =>
    host === undefined || host === 'any' ? [] : [{ host, path: [...path, 'host'] }],
  )
  if (named.length === 0) return []
  const known = await facts.namesAmong([...new Set(named.map(({ host }) => host))])
  return named.flatMap(({ host, path }) => {
    const message = `no node of the cluster is named "${host}", so that the rule is for nobody: names are those of certificates, not of DNS`
    return known.has(host) ? [] : [{ code: 'UNKNOWN_HOST', path, message }]
  })
}

async function unreachedNetworks(facts: ClusterFacts, placed: readonly Placed[]): Promise<ChangeWarning[]> {
  const { networkCidr } = await facts.cluster()
  const overlay = intervalOf(networkCidr)
  const outside = placed.flatMap(({ rule: { cidr, localCidr }, path }) =>
    Object.entries({ cidr, localCidr }).flatMap(([key, text]) => {
      if (text === undefined || meet(intervalOf(text), overlay)) return []
      return [{ text, network: intervalOf(text), path: [...path, key] }]
    }),
  )
  const unreached = await withoutRoutes(facts, outside)
  return unreached.map(({ text, path }) => {
    const message = `${text} lies outside of the cluster’s network, ${networkCidr}, and of every route of its nodes, so that no packet meets the rule: add the route first, or correct the network`
    return { code: 'UNREACHED_CIDR', path, message }
  })
}

/** The networks that no route of a node meets; empty when there are more gateways than are read. */
async function withoutRoutes<Outside extends { readonly network: ReturnType<typeof intervalOf> }>(
  facts: ClusterFacts,
  outside: readonly Outside[],
): Promise<readonly Outside[]> {
  if (outside.length === 0) return []
  const { nodes, areAll } = await facts.gateways()
  if (!areAll) return []
  let left = outside
  const pause = breaks()
  for (const { routes } of nodes) {
    // A piece: one node's 256 networks for each rule.
    await pause()
    const intervals = routes.map(intervalOf)
    left = left.filter(({ network }) => !intervals.some((route) => meet(network, route)))
    if (left.length === 0) break
  }
  return left
}

async function unknownCas(facts: ClusterFacts, placed: readonly Placed[]): Promise<ChangeWarning[]> {
  const named = placed.filter(({ rule: { caName, caSha } }) => caName !== undefined || caSha !== undefined)
  if (named.length === 0) return []
  const cas = trustedCas(await facts.cluster()).flatMap((pem) => parseCaCertificates(pem))
  return named.flatMap(({ rule: { caName, caSha }, path }): ChangeWarning[] => [
    ...(caName === undefined || cas.some(({ name }) => name === caName)
      ? []
      : [{ code: 'UNKNOWN_CA', path: [...path, 'caName'], message: noCa(`is named "${caName}"`) } as const]),
    ...(caSha === undefined || cas.some(({ fingerprint }) => fingerprint === caSha)
      ? []
      : [{ code: 'UNKNOWN_CA', path: [...path, 'caSha'], message: noCa('has this fingerprint') } as const]),
  ])
}

const noCa = (what: string): string =>
  `no CA that the cluster’s nodes trust ${what}, so that the rule is for nobody: see \`Cluster.caCertificate\``
