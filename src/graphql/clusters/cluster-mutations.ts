import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import {
  createCluster,
  deleteCluster,
  rotateClusterToken,
  updateClusterLighthouse,
  updateClusterVersion,
} from '../../domain/clusters/clusters.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { clusterLighthouseWarnings, newClusterWarnings, publishedWarnings } from '../../domain/warnings/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import {
  changed,
  clusterFields,
  dryRunField,
  expectedVersionField,
  termsFields,
  warned,
  warningsField,
} from '../changes/change.ts'
import { clusterNotesFields } from './cluster-notes.ts'
import { Cluster } from './clusters.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'

builder.relayMutationField(
  'createCluster',
  {
    description: 'A new cluster.',
    inputFields: (t) => ({
      tenantId: t.field({
        type: 'UUID',
        description:
          'The tenant that owns the cluster. Operators must name it; for other callers, null means their own tenant.',
      }),
      name: t.string({ required: true, description: 'Unique in the tenant; 1 to 255 characters.' }),
      networkCidr: t.field({
        type: 'CIDR',
        description:
          'The overlay network: IPv4, prefix length 8 to 30; `10.42.0.0/16` when null. It cannot be changed later.',
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
          'How long a node’s certificate is valid, in days: 1 to 3650; 30 when null. Agents renew it before it ends.',
      }),
      enrollGroups: t.stringList({
        description: 'Groups that a machine may ask for when it enrols itself: at most 64; none when null.',
      }),
      caLifetimeDays: t.int({ description: 'How long the cluster’s CA is valid, 1 to 7300 days; 3650 when null.' }),
      caGroups: t.stringList({
        description: 'The only groups that the CA may ever sign: at most 64; any group when null.',
      }),
      ...clusterNotesFields(t),
    }),
  },
  {
    description:
      'Creates a cluster with its CA and the token with which its machines enrol. For operators and tenant admins.',
    authScopes: { tenantWriter: true },
    errors: outcome('createCluster', ValidationError, NotFoundError, ConflictError),
    resolve: async (_root, { input }, context) => {
      const scope = scopeOf(context)
      const made = await createCluster(scope, context, given(input))
      return { ...made, ...warned(context, () => newClusterWarnings(scope, made.cluster)) }
    },
  },
  {
    description: 'The cluster was created.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The new cluster.', resolve: ({ cluster }) => cluster }),
      token: t.string({
        description: 'The cluster token, `orc_…`, with which machines enrol. It is shown here and never again.',
        resolve: ({ token }) => token,
      }),
      warnings: warningsField(t),
    }),
  },
)

builder.relayMutationField(
  'updateClusterLighthouse',
  {
    description: 'The settings to change; a null field leaves its setting as it is.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      provideLighthouse: t.boolean({ description: 'Whether the control plane provides a lighthouse.' }),
      lighthousePort: t.field({ type: 'Port', description: 'The lighthouses’ UDP port.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Sets whether the control plane provides a lighthouse, and the port of the cluster’s lighthouses. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterLighthouse', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => updateClusterLighthouse(scope, clusterId, given(input)),
          warn: (facts) => clusterLighthouseWarnings(facts(clusterId), input),
        },
      ),
  },
  {
    description: 'The lighthouse settings were changed.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version.'),
  },
)

builder.relayMutationField(
  'publishClusterConfig',
  {
    description: 'The cluster whose configuration is to be published again.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      dryRun: dryRunField(t),
    }),
  },
  {
    description:
      'Bumps `configVersion` without any other change, so that the configuration is published again. For operators, tenant admins and admin nodes.',
    authScopes: { clusterWriter: true },
    errors: outcome('publishClusterConfig', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun },
        {
          change: (scope) => updateClusterVersion(scope, clusterId),
          warn: (facts) => publishedWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The version was raised.',
    outputFields: (t) => clusterFields(t, 'The cluster with its new version.'),
  },
)

builder.relayMutationField(
  'rotateClusterToken',
  {
    description: 'The cluster whose token is to be replaced.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Replaces the cluster token, with which machines enrol. The old one stops working at once; nodes keep their own tokens. For operators, tenant admins and admin nodes. Bumps `configVersion`.',
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
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Deletes a cluster with its nodes and bundles. This cannot be undone. For operators and tenant admins.',
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
