import { ConflictError, LimitError, NotFoundError, ValidationError } from '../base/errors.ts'
import {
  createCluster,
  deleteCluster,
  rotateClusterToken,
  updateClusterFirewall,
  updateClusterLighthouse,
  updateClusterVersion,
} from '../domain/clusters.ts'
import { importClusterPki } from '../domain/cluster-pki.ts'
import { expecting } from '../domain/expected-version.ts'
import { scopeOf } from './access.ts'
import { builder } from './builder.ts'
import { ChangePlan, changed, dryRunDescription, expectedVersionDescription, planDescription } from './change-plan.ts'
import { Cluster, Protocol } from './clusters.ts'
import { outcome } from './errors.ts'
import { given } from './input.ts'

builder.relayMutationField(
  'createCluster',
  {
    description: 'A new cluster.',
    inputFields: (t) => ({
      tenantId: t.field({
        type: 'UUID',
        description: 'Whose it is; needed from operators, your own tenant when null.',
      }),
      name: t.string({ required: true, description: 'Unique in the tenant; 1 to 255 characters.' }),
      networkCidr: t.field({
        type: 'CIDR',
        description: 'The overlay network: IPv4, prefix length 8 to 30; `10.42.0.0/16` when null. It stays as it is.',
      }),
      provideLighthouse: t.boolean({
        description: 'Whether the control plane provides a lighthouse; false when null.',
      }),
      lighthousePort: t.field({ type: 'Port', description: 'The lighthouses’ UDP port; 4242 when null.' }),
      certificateVersion: t.int({
        description: 'The format of its certificates: 1, or 2 for Nebula 1.10 and newer; 1 when null.',
      }),
      certificateLifetimeDays: t.int({
        description:
          'How long a node’s certificate is valid, 1 to 3650 days; 30 when null. Agents renew theirs in time.',
      }),
      enrollGroups: t.stringList({
        description: 'Groups that a machine may ask for when it enrols itself: at most 64; none when null.',
      }),
      caLifetimeDays: t.int({ description: 'How long the cluster’s CA is valid, 1 to 7300 days; 3650 when null.' }),
      caGroups: t.stringList({
        description: 'The only groups that the CA may sign, for as long as it is valid: at most 64; any when null.',
      }),
    }),
  },
  {
    description:
      'Creates a cluster with its CA, and the token that its machines enrol with. For operators and tenant admins.',
    authScopes: { tenantWriter: true },
    errors: outcome('createCluster', ValidationError, NotFoundError, ConflictError),
    resolve: (_root, { input }, context) => createCluster(scopeOf(context), context, given(input)),
  },
  {
    description: 'The cluster was created.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The new cluster.', resolve: ({ cluster }) => cluster }),
      token: t.string({
        description: 'The cluster token, `orc_…`, with which machines enrol. It is shown here and never again.',
        resolve: ({ token }) => token,
      }),
    }),
  },
)

builder.relayMutationField(
  'updateClusterLighthouse',
  {
    description: 'What is to change; a field that is null stays as it is.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      provideLighthouse: t.boolean({ description: 'Whether the control plane provides a lighthouse.' }),
      lighthousePort: t.field({ type: 'Port', description: 'The lighthouses’ UDP port.' }),
      expectedVersion: t.field({ type: 'PositiveInt', description: expectedVersionDescription }),
      dryRun: t.boolean({ description: dryRunDescription }),
    }),
  },
  {
    description: 'Sets the cluster’s lighthouse. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterLighthouse', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(context, { clusterId }, { dryRun, expectedVersion }, (scope) =>
        updateClusterLighthouse(scope, clusterId, given(input)),
      ),
  },
  {
    description: 'The lighthouse was set.',
    outputFields: (t) => ({
      cluster: t.field({
        type: Cluster,
        description: 'The cluster with its new version.',
        resolve: ({ value, plan }) => plan?.cluster ?? value,
      }),
      plan: t.field({ type: ChangePlan, nullable: true, description: planDescription, resolve: ({ plan }) => plan }),
    }),
  },
)

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
      expectedVersion: t.field({ type: 'PositiveInt', description: expectedVersionDescription }),
      dryRun: t.boolean({ description: dryRunDescription }),
    }),
  },
  {
    description: 'Sets the firewall of all nodes. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterFirewall', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, firewall, dryRun, expectedVersion } }, context) =>
      changed(context, { clusterId }, { dryRun, expectedVersion }, (scope) =>
        updateClusterFirewall(scope, clusterId, {
          inbound: firewall.inbound.map(given),
          outbound: firewall.outbound.map(given),
        }),
      ),
  },
  {
    description: 'The firewall was set.',
    outputFields: (t) => ({
      cluster: t.field({
        type: Cluster,
        description: 'The cluster with its new version.',
        resolve: ({ value, plan }) => plan?.cluster ?? value,
      }),
      plan: t.field({ type: ChangePlan, nullable: true, description: planDescription, resolve: ({ plan }) => plan }),
    }),
  },
)

builder.relayMutationField(
  'importClusterPki',
  {
    description: 'A CA that was made elsewhere, in the files that nebula-cert writes.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      caCertificate: t.string({ required: true, description: 'The content of `ca.crt`, PEM.' }),
      caKey: t.string({
        required: true,
        description: 'The content of `ca.key`, PEM. It is sealed before it is stored and never shown again.',
      }),
      passphrase: t.string({ description: 'Of an encrypted key; null when the key is not encrypted. Not kept.' }),
      expectedVersion: t.field({ type: 'PositiveInt', description: expectedVersionDescription }),
      dryRun: t.boolean({ description: dryRunDescription }),
    }),
  },
  {
    description:
      'Gives the cluster a CA of your own, or its own again: where the key does not open (`canBeSignedFor`), that puts it right. Refused where nodes hold certificates of another one, unless its key does not open: then they are led to this one as by a rotation. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('importClusterPki', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(context, { clusterId }, { dryRun, expectedVersion }, (scope) =>
        importClusterPki(scope, context.vault, clusterId, given(input)),
      ),
  },
  {
    description: 'The CA was taken over.',
    outputFields: (t) => ({
      cluster: t.field({
        type: Cluster,
        description: 'The cluster with its new version.',
        resolve: ({ value, plan }) => plan?.cluster ?? value,
      }),
      plan: t.field({ type: ChangePlan, nullable: true, description: planDescription, resolve: ({ plan }) => plan }),
    }),
  },
)

builder.relayMutationField(
  'publishClusterConfig',
  {
    description: 'The cluster whose configuration is to be published anew.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      dryRun: t.boolean({ description: dryRunDescription }),
    }),
  },
  {
    description: 'Bumps `configVersion` although nothing changed. For operators, tenant admins and admin nodes.',
    authScopes: { clusterWriter: true },
    errors: outcome('publishClusterConfig', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun } }, context) =>
      changed(context, { clusterId }, { dryRun }, (scope) => updateClusterVersion(scope, clusterId)),
  },
  {
    description: 'A new version is wanted.',
    outputFields: (t) => ({
      cluster: t.field({
        type: Cluster,
        description: 'The cluster with its new version.',
        resolve: ({ value, plan }) => plan?.cluster ?? value,
      }),
      plan: t.field({ type: ChangePlan, nullable: true, description: planDescription, resolve: ({ plan }) => plan }),
    }),
  },
)

builder.relayMutationField(
  'rotateClusterToken',
  {
    description: 'The cluster whose token is to be replaced.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      expectedVersion: t.field({ type: 'PositiveInt', description: expectedVersionDescription }),
    }),
  },
  {
    description:
      'Replaces the enrolment token; the old one ends at once, nodes keep theirs. For operators, tenant admins and admin nodes. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('rotateClusterToken', NotFoundError, ConflictError),
    resolve: (_root, { input: { clusterId, expectedVersion } }, context) =>
      rotateClusterToken(expecting(scopeOf(context), expectedVersion), context.tokens, clusterId),
  },
  {
    description: 'The token was replaced.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster.', resolve: ({ cluster }) => cluster }),
      token: t.string({
        description: 'The new cluster token. It is shown here and never again.',
        resolve: ({ token }) => token,
      }),
    }),
  },
)

builder.relayMutationField(
  'deleteCluster',
  {
    description: 'The cluster to delete.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      expectedVersion: t.field({ type: 'PositiveInt', description: expectedVersionDescription }),
    }),
  },
  {
    description: 'Deletes a cluster with its nodes and bundles. There is no way back. For operators and tenant admins.',
    authScopes: { tenantWriter: true },
    errors: outcome('deleteCluster', NotFoundError, ConflictError),
    resolve: (_root, { input: { clusterId, expectedVersion } }, context) =>
      deleteCluster(expecting(scopeOf(context), expectedVersion), clusterId),
  },
  {
    description: 'The cluster was deleted.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster as it was.', resolve: (cluster) => cluster }),
    }),
  },
)
