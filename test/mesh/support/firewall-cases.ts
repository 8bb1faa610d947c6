import type { FirewallRule } from '../../../src/domain/clusters/firewall.ts'
import type { Settings } from '../../../src/nebula/merge.ts'
import { cas, type FirewallLab } from './firewall-lab.ts'

/** Who reaches the guarded machine: first letters, of ann (ops), ben (ops, lab), cat, and dan (ops, by CA second). */
export interface Through {
  /** To its own address. */
  readonly own: string
  /** To the network behind it. */
  readonly behind: string
}

interface Case {
  readonly title: string
  /** The behaviour of Nebula from `since` on; of all versions, where there is no `before`. */
  readonly now: Through
  readonly before?: { readonly since: string } & Through
}

/** A rule that the API accepts, without its port. */
export interface TakenCase extends Case {
  readonly rule: (lab: FirewallLab) => Partial<FirewallRule>
}

/** A rule that the API refuses, as in Nebula's configuration; and the API's message. */
export interface RefusedCase extends Case {
  readonly byHand: (lab: FirewallLab) => Settings
  readonly says: RegExp
}

const both = (letters: string): Through => ({ own: letters, behind: letters })
const behind = (letters: string): Through => ({ own: '', behind: letters })
const { fingerprint } = cas.first.certificate

const taken = (title: string, rule: TakenCase['rule'], now: Through, before?: Case['before']): TakenCase => ({
  title,
  rule,
  now,
  ...(before === undefined ? {} : { before }),
})
/** Nebula before 1.9 does not know localCidr: peers that match the rest of the rule reach every network. */
const narrowed = (title: string, rule: TakenCase['rule'], now: Through, unnarrowed: string): TakenCase =>
  taken(title, rule, now, { since: '1.9.0', ...both(unnarrowed) })

export const takenCases: readonly TakenCase[] = [
  taken('host: any', () => ({ host: 'any' }), both('abcd')),
  taken('host: a name', () => ({ host: 'ben' }), both('b')),
  taken('host: nobody’s name', () => ({ host: 'eve' }), both('')),
  taken('group: any', () => ({ group: 'any' }), both('abcd')),
  taken('group: one', () => ({ group: 'ops' }), both('abd')),
  taken('groups: any alone', () => ({ groups: ['any'] }), both('abcd')),
  taken('groups: one', () => ({ groups: ['lab'] }), both('b')),
  taken('groups: two, of which the other side has both', () => ({ groups: ['ops', 'lab'] }), both('b')),
  taken('cidr: one address', (lab) => ({ cidr: `${lab.address('ann')}/32` }), both('a')),
  taken('cidr: the overlay', (lab) => ({ cidr: lab.network }), both('abcd')),
  taken('cidr: 0.0.0.0/0', () => ({ cidr: '0.0.0.0/0' }), both('abcd')),
  taken('cidr: elsewhere', () => ({ cidr: '10.0.0.0/8' }), both('')),
  taken('caName', () => ({ caName: 'second' }), both('d')),
  taken('caSha', () => ({ caSha: fingerprint }), both('abc')),
  taken('caName and host', () => ({ caName: 'first', host: 'ben' }), both('b')),
  taken('caName and host: any', () => ({ caName: 'second', host: 'any' }), both('d')),
  taken('caName and group', () => ({ caName: 'second', group: 'ops' }), both('d')),
  taken('caName and groups', () => ({ caName: 'second', groups: ['ops', 'lab'] }), both('')),
  taken('caName and cidr', (lab) => ({ caName: 'first', cidr: lab.network }), both('abc')),
  taken('caSha and host', () => ({ caSha: fingerprint, host: 'dan' }), both('')),
  taken('caSha and group', () => ({ caSha: fingerprint, group: 'ops' }), both('ab')),
  taken('caSha and groups', () => ({ caSha: fingerprint, groups: ['ops', 'lab'] }), both('b')),
  taken('caSha and cidr', (lab) => ({ caSha: fingerprint, cidr: `${lab.address('dan')}/32` }), both('')),
  narrowed('localCidr and host', (lab) => ({ localCidr: lab.behind.network, host: 'ben' }), behind('b'), 'b'),
  narrowed(
    'localCidr and host: any',
    (lab) => ({ localCidr: lab.behind.network, host: 'any' }),
    behind('abcd'),
    'abcd',
  ),
  narrowed('localCidr and group', (lab) => ({ localCidr: lab.behind.network, group: 'ops' }), behind('abd'), 'abd'),
  narrowed(
    'localCidr (its own address) and group',
    (lab) => ({ localCidr: `${lab.address('guarded')}/32`, group: 'ops' }),
    { own: 'abd', behind: '' },
    'abd',
  ),
  narrowed(
    'localCidr and groups',
    (lab) => ({ localCidr: lab.behind.network, groups: ['ops', 'lab'] }),
    behind('b'),
    'b',
  ),
  narrowed(
    'localCidr and cidr',
    (lab) => ({ localCidr: lab.behind.network, cidr: lab.network }),
    behind('abcd'),
    'abcd',
  ),
  narrowed('localCidr and caName', (lab) => ({ localCidr: lab.behind.network, caName: 'second' }), behind('d'), 'd'),
  narrowed(
    'localCidr and caSha',
    (lab) => ({ localCidr: lab.behind.network, caSha: fingerprint }),
    behind('abc'),
    'abc',
  ),
]

const refused = (
  title: string,
  byHand: RefusedCase['byHand'],
  says: RegExp,
  now: Through,
  before?: Case['before'],
): RefusedCase => ({ title, byHand, says, now, ...(before === undefined ? {} : { before }) })

const one = /takes one of host, group, groups and cidr/
const elsewhere = (lab: FirewallLab) => ({ cidr: `${lab.address('ann')}/32` })

export const refusedCases: readonly RefusedCase[] = [
  refused('host and group', () => ({ host: 'cat', group: 'lab' }), one, both('bc')),
  refused('host: any and group', () => ({ host: 'any', group: 'lab' }), one, both('abcd')),
  refused('host and groups', () => ({ host: 'cat', groups: ['ops', 'lab'] }), one, both('bc')),
  refused('host and cidr', (lab) => ({ host: 'cat', ...elsewhere(lab) }), one, both('ac')),
  refused('group and cidr', (lab) => ({ group: 'lab', ...elsewhere(lab) }), one, both('ab')),
  refused('groups and cidr', (lab) => ({ groups: ['ops', 'lab'], ...elsewhere(lab) }), one, both('ab')),
  refused('groups with any in it', () => ({ groups: ['any', 'ops'] }), /"any" among its groups/, both('abcd')),
  refused(
    'caName and caSha',
    () => ({ caName: 'second', caSha: fingerprint }),
    /takes one of caName and caSha/,
    both('abcd'),
  ),
  refused('cidr with 0.0.0.0 in it', () => ({ cidr: '0.0.0.0/1' }), /0\.0\.0\.0 in it/, both(''), {
    since: '1.11.0',
    ...both('abcd'),
  }),
  refused('cidr of IPv6', () => ({ cidr: 'fd00::/8' }), /must be a network of IPv4/, both(''), {
    since: '1.11.0',
    ...both('abcd'),
  }),
  refused(
    'localCidr with 0.0.0.0 in it',
    () => ({ host: 'any', localCidr: '0.0.0.0/1' }),
    /0\.0\.0\.0 in it/,
    behind('abcd'),
    { since: '1.11.0', ...both('abcd') },
  ),
  refused('localCidr of IPv6', () => ({ host: 'any', localCidr: 'fd00::/8' }), /must be a network of IPv4/, both(''), {
    since: '1.11.0',
    ...both('abcd'),
  }),
]

/** Who the guarded machine reaches, by rules of its outbound side. */
export const outboundCases: readonly TakenCase[] = [
  taken('host: any', () => ({ host: 'any' }), both('abcd')),
  taken('host: a name', () => ({ host: 'ben' }), both('b')),
  taken('group', () => ({ group: 'ops' }), both('abd')),
  taken('groups', () => ({ groups: ['ops', 'lab'] }), both('b')),
  taken('cidr', (lab) => ({ cidr: `${lab.address('ann')}/32` }), both('a')),
  taken('caName', () => ({ caName: 'second' }), both('d')),
  taken('caSha and group', () => ({ caSha: fingerprint, group: 'ops' }), both('ab')),
  narrowed(
    'localCidr: where it does not come from',
    (lab) => ({ localCidr: lab.behind.network, group: 'ops' }),
    both(''),
    'abd',
  ),
]
