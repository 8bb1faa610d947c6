import {
  mostWarnings,
  type ChangeWarning as ChangeWarningShape,
  type WarningCode,
} from '../../domain/warnings/warning.ts'
import { builder } from '../kit/builder.ts'

const codes: Record<WarningCode, string> = {
  PUBLIC_NETWORK: 'The network is public address space: somebody else’s machines have its addresses.',
  NETWORK_TWICE: 'Another cluster of the tenant has addresses of the network, so that no machine can be in both.',
  NOBODY_IN: 'The firewall has no inbound rule: no node lets anybody in.',
  NOTHING_OUT: 'The firewall has no outbound rule: no node can begin to talk to another.',
  UNKNOWN_GROUP: 'A firewall rule is for groups that no node has.',
  UNKNOWN_HOST: 'A firewall rule is for a name that no node has.',
  UNKNOWN_CA: 'A firewall rule is for nodes of a CA that the cluster does not trust.',
  UNREACHED_CIDR: 'A firewall rule is for addresses outside of the cluster’s network and of every route.',
  WITHOUT_EFFECT: 'The value is kept, and what the nodes do is the same without it.',
  MEANS_EVERYBODY: 'The name is `any`, which in a firewall rule is everybody’s.',
  NO_LIGHTHOUSE: 'No node is a lighthouse: the nodes do not find each other.',
  LIGHTHOUSE_NOT_PUBLIC: 'The lighthouse’s address is one of a site’s own network, which others do not reach.',
  LIGHTHOUSE_IPV6:
    'The lighthouse’s address is IPv6, and Nebula listens on IPv4 unless an uploaded `config.yml` says more.',
  LIGHTHOUSE_TWICE: 'Another lighthouse has the same public address and port.',
  LIGHTHOUSE_BEHIND_ROUTE: 'A lighthouse’s public address lies within a route, and would be looked for in the overlay.',
  RELAY_NOT_PUBLIC: 'The relay is not known to be reached directly by every node.',
  MTU_TOO_LARGE: 'Packets of this size do not fit into those of most networks.',
  ROUTE_TWICE: 'Another node has a route with addresses of this one.',
  DEFAULT_ROUTE: 'The route takes all traffic of the other nodes, Nebula’s own packets among it.',
  CA_ENDS_SOON: 'The CA ends within 30 days, and all certificates with it.',
  CERTIFICATES_OUTLIVE_CA: 'Certificates are to be valid for longer than the CA, and are cut to its end.',
  GROUP_NOT_SIGNED: 'Machines may ask for a group that the CA does not sign, and are refused then.',
}

const ChangeWarningCode = builder.enumType('ChangeWarningCode', {
  description: 'Why a change that is allowed may not work as it is meant.',
  values: Object.fromEntries(Object.entries(codes).map(([value, description]) => [value, { value, description }])),
})

export const ChangeWarning = builder.objectRef<ChangeWarningShape>('ChangeWarning').implement({
  description: 'Something about a change that is allowed, and that is unlikely to be meant.',
  fields: (t) => ({
    code: t.expose('code', { type: ChangeWarningCode, description: 'What it is, for programs.' }),
    path: t.stringList({
      description:
        'Leads from the arguments to the value, as that of a ValidationError does, such as `["input", "routes", "3"]`.',
      resolve: ({ path }) => [...path],
    }),
    message: t.exposeString('message', { description: 'What is unlikely and what to do, for people to read.' }),
  }),
})

export const warningsDescription = `What may not work as it is meant, though it is allowed: at most ${mostWarnings}; looked for only when asked for.`
