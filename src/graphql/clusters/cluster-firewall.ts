import { updateClusterFirewall } from '../../domain/clusters/clusters.ts'
import { clusterFirewallWarnings } from '../../domain/warnings/clusters.ts'
import { builder } from '../kit/builder.ts'
import { clusterMutation } from '../changes/change-mutations.ts'
import { Protocol, ruleFields } from './clusters.ts'
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

clusterMutation('updateClusterFirewall', {
  together: true,
  description:
    'Sets the firewall of all nodes of the cluster. A `ConflictError` names the nodes whose Nebula would let in more than the rules say.',
  input: 'The new firewall.',
  fields: (t) => ({
    firewall: t.field({ type: FirewallInput, required: true, description: 'Replaces all present rules.' }),
  }),
  change: (scope, id, { firewall: { inbound, outbound } }) =>
    updateClusterFirewall(scope, id, { inbound: inbound.map(given), outbound: outbound.map(given) }),
  warn: clusterFirewallWarnings,
  done: 'The firewall was set.',
})
