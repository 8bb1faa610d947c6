import {
  mostWarnings,
  type ChangeWarning as ChangeWarningShape,
  type WarningCode,
} from '../../domain/warnings/warning.ts'
import { builder } from '../kit/builder.ts'

const codes: Record<WarningCode, string> = {
  PUBLIC_NETWORK: 'The network is public address space: its addresses belong to machines of others on the internet.',
  NETWORK_TWICE: 'The network overlaps that of another cluster of the tenant, so that no machine can be in both.',
  NOBODY_IN: 'The firewall has no inbound rule: no node lets any peer in.',
  NOTHING_OUT: 'The firewall has no outbound rule: no node can open a connection to another.',
  UNKNOWN_GROUP: 'A firewall rule names groups that no node has.',
  UNKNOWN_HOST: 'A firewall rule names a host, and no node has that name.',
  UNKNOWN_CA: 'A firewall rule names a CA that the cluster does not trust.',
  UNREACHED_CIDR: 'A firewall rule names addresses outside the cluster’s network and every route.',
  WITHOUT_EFFECT: 'The value is stored, but has no effect on the nodes.',
  MEANS_EVERYBODY: 'The name is `any`, which in a firewall rule matches every peer.',
  NO_LIGHTHOUSE: 'No node is a lighthouse: the nodes cannot find each other.',
  LIGHTHOUSE_NOT_PUBLIC: 'The lighthouse’s address is private to one site, and nodes elsewhere cannot reach it.',
  LIGHTHOUSE_IPV6:
    'The lighthouse’s address is IPv6, but Nebula listens on IPv4 only unless an uploaded `config.yml` says otherwise.',
  LIGHTHOUSE_TWICE: 'Another lighthouse has the same public address and port.',
  LIGHTHOUSE_BEHIND_ROUTE:
    'A lighthouse’s public address lies within a route, so that nodes would look for it in the overlay.',
  RELAY_NOT_PUBLIC: 'It is not known whether every node can reach the relay directly.',
  MTU_TOO_LARGE: 'Packets of this size do not fit into the packets of most networks.',
  ROUTE_TWICE: 'A route of another node overlaps this one.',
  DEFAULT_ROUTE: 'The route takes all traffic of the other nodes, including Nebula’s own packets.',
  CA_ENDS_SOON: 'The CA ends within 30 days, and all certificates with it.',
  CERTIFICATES_OUTLIVE_CA: 'Certificates would be valid for longer than the CA, and are cut to its end.',
  GROUP_NOT_SIGNED: 'Machines may ask for a group that the CA may not sign, and are then refused.',
}

const ChangeWarningCode = builder.enumType('ChangeWarningCode', {
  description: 'Why a change that is allowed may not work as intended.',
  values: Object.fromEntries(Object.entries(codes).map(([value, description]) => [value, { value, description }])),
})

export const ChangeWarning = builder.objectRef<ChangeWarningShape>('ChangeWarning').implement({
  description: 'An effect of a change that is allowed but probably not intended.',
  fields: (t) => ({
    code: t.expose('code', { type: ChangeWarningCode, description: 'The kind of warning, for programs.' }),
    path: t.stringList({
      description:
        'The path from the arguments to the value, as in a ValidationError, such as `["input", "routes", "3"]`.',
      resolve: ({ path }) => [...path],
    }),
    message: t.exposeString('message', { description: 'What is probably wrong and what to do, for people to read.' }),
  }),
})

export const warningsDescription = `What is allowed but may not work as intended: at most ${mostWarnings} warnings; computed only when they are selected.`
