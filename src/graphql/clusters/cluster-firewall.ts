import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { updateClusterFirewall } from '../../domain/clusters/clusters.ts'
import { clusterFirewallWarnings } from '../../domain/warnings/clusters.ts'
import { builder } from '../kit/builder.ts'
import { changed, clusterFields, termsFields } from '../changes/change.ts'
import { Protocol, ruleFields } from './clusters.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'

const FirewallRuleInput = builder.inputType('FirewallRuleInput', {
  description:
    'One rule: a packet passes if it matches all fields that are set. At least one of the fields after `proto` must say which peers the rule is for. Set at most one of `host`, `group`, `groups` and `cidr`, and at most one of `caName` and `caSha`: Nebula treats several of them as alternatives, so write one rule for each.',
  fields: (t) => ({
    port: t.string({ required: true, description: ruleFields.port }),
    proto: t.field({ type: Protocol, required: true, description: ruleFields.proto }),
    host: t.string({ description: ruleFields.host }),
    group: t.string({ description: ruleFields.group }),
    groups: t.stringList({ description: ruleFields.groups }),
    cidr: t.field({ type: 'CIDR', description: ruleFields.cidr }),
    localCidr: t.field({ type: 'CIDR', description: ruleFields.localCidr }),
    caName: t.string({ description: ruleFields.caName }),
    caSha: t.string({ description: ruleFields.caSha }),
  }),
})

const FirewallInput = builder.inputType('FirewallInput', {
  description: 'The whole firewall of the cluster’s nodes. A packet that no rule allows is dropped.',
  fields: (t) => ({
    inbound: t.field({
      type: [FirewallRuleInput],
      required: true,
      description: 'Rules for packets that reach a node; at most 256.',
    }),
    outbound: t.field({
      type: [FirewallRuleInput],
      required: true,
      description: 'Rules for packets that leave a node; at most 256.',
    }),
  }),
})

builder.relayMutationField(
  'updateClusterFirewall',
  {
    description: 'The new firewall.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      firewall: t.field({ type: FirewallInput, required: true, description: 'Replaces all present rules.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Sets the firewall of all nodes of the cluster. A `ConflictError` names the nodes whose Nebula would let in more than the rules say. For operators and tenant admins. Bumps `configVersion`.',
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
