import { ConflictError, LimitError, NotFoundError, ValidationError } from '../base/errors.ts'
import { updateClusterFirewall } from '../domain/clusters.ts'
import { clusterFirewallWarnings } from '../domain/warnings/clusters.ts'
import { builder } from './builder.ts'
import { changed, clusterFields, termsFields } from './change.ts'
import { Protocol } from './clusters.ts'
import { outcome } from './errors.ts'
import { given } from './input.ts'

const FirewallRuleInput = builder.inputType('FirewallRuleInput', {
  description:
    'One rule: which packets pass. At least one of the fields after `proto` says whom it is for, and at most one of `host`, `group`, `groups` and `cidr`: Nebula lets in whoever meets any of them.',
  fields: (t) => ({
    port: t.string({ required: true, description: '`any`, `fragment`, a port, or a range such as `200-300`.' }),
    proto: t.field({ type: Protocol, required: true, description: 'The protocol.' }),
    host: t.string({ description: 'The name in the other side’s certificate, or `any`.' }),
    group: t.string({ description: 'A group in the other side’s certificate.' }),
    groups: t.stringList({ description: 'Groups the other side has all of.' }),
    cidr: t.field({ type: 'CIDR', description: 'Where the other side’s address lies.' }),
    localCidr: t.field({
      type: 'CIDR',
      description:
        'Where the address on this side lies. Nebula 1.6 does not know it and lets packets to every address in.',
    }),
    caName: t.string({ description: 'The name of the CA that signed the other side.' }),
    caSha: t.string({ description: 'The fingerprint of that CA, 64 hex digits.' }),
  }),
})

const FirewallInput = builder.inputType('FirewallInput', {
  description: 'The whole firewall of the cluster’s nodes. What no rule allows is dropped.',
  fields: (t) => ({
    inbound: t.field({ type: [FirewallRuleInput], required: true, description: 'What may reach a node; at most 256.' }),
    outbound: t.field({
      type: [FirewallRuleInput],
      required: true,
      description: 'What may leave a node; at most 256.',
    }),
  }),
})

builder.relayMutationField(
  'updateClusterFirewall',
  {
    description: 'The new firewall.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      firewall: t.field({ type: FirewallInput, required: true, description: 'Replaces all rules there are.' }),
      ...termsFields(t),
    }),
  },
  {
    description: 'Sets the firewall of all nodes. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterFirewall', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, firewall, dryRun, expectedVersion } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) =>
            updateClusterFirewall(scope, clusterId, {
              inbound: firewall.inbound.map(given),
              outbound: firewall.outbound.map(given),
            }),
          warn: (facts) => clusterFirewallWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The firewall was set.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version.'),
  },
)
