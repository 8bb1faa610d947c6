import type { Scope } from '../../auth/scope.ts'
import { ConflictError, NotFoundError, ValidationError } from '../../base/errors.ts'
import {
  createCluster,
  deleteCluster,
  getCluster,
  rotateClusterToken,
  updateClusterLighthouse,
  updateClusterVersion,
} from '../../domain/clusters/clusters.ts'
import { madeAndGone } from '../../domain/audit/repeats.ts'
import { clusterLighthouseWarnings, newClusterWarnings, publishedWarnings } from '../../domain/warnings/clusters.ts'
import { graceField, tokenField, warningsField } from '../changes/change-fields.ts'
import { clusterMutation } from '../changes/change-mutations.ts'
import { warned } from '../changes/change.ts'
import { mutation } from '../changes/mutation.ts'
import { scopeOf } from '../kit/access.ts'
import { clusterNotesFields } from './cluster-notes.ts'
import { Cluster } from './clusters.ts'

async function clusterWithToken(scope: Scope, id: string, token: string) {
  const cluster = await getCluster(scope, id)
  return cluster && { cluster, token }
}

mutation('createCluster', {
  description: 'Creates a cluster with its CA and the token with which its machines enroll.',
  callers: 'wholeTenantWriter',
  input: 'A new cluster.',
  fields: (t) => ({
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
      description: 'Groups that a machine may ask for when it enrolls itself: at most 64; none when null.',
    }),
    caLifetimeDays: t.int({ description: 'How long the cluster’s CA is valid, 1 to 7300 days; 3650 when null.' }),
    caGroups: t.stringList({
      description: 'The only groups that the CA may ever sign: at most 64; any group when null.',
    }),
    ...clusterNotesFields(t),
  }),
  errors: [ValidationError, NotFoundError, ConflictError],
  resolve: async (input, context) => {
    const scope = scopeOf(context)
    const made = await createCluster(scope, context, input)
    return { ...made, ...warned(() => newClusterWarnings(scope, made.cluster)) }
  },
  repeats: {
    type: 'Cluster',
    again: async (context, { id, secret }) => {
      const scope = scopeOf(context)
      const made = await clusterWithToken(scope, id, secret ?? '')
      if (made === null) throw madeAndGone('Cluster')
      return { ...made, ...warned(() => newClusterWarnings(scope, made.cluster)) }
    },
  },
  done: 'The cluster was created.',
  payload: (t) => ({
    cluster: t.field({ type: Cluster, description: 'The new cluster.', resolve: ({ cluster }) => cluster }),
    token: tokenField(t, 'The cluster token, `orc_…`, with which machines enroll.', ({ token }) => token),
    warnings: warningsField(t),
  }),
})

clusterMutation('updateClusterLighthouse', {
  together: true,
  description: 'Sets whether the control plane provides a lighthouse, and the port of the cluster’s lighthouses.',
  input: 'The settings to change; a null field leaves its setting as it is.',
  fields: (t) => ({
    provideLighthouse: t.boolean({ description: 'Whether the control plane provides a lighthouse.' }),
    lighthousePort: t.field({ type: 'Port', description: 'The lighthouses’ UDP port.' }),
  }),
  change: (scope, id, input) => updateClusterLighthouse(scope, id, input),
  warn: (facts, _cluster, input) => clusterLighthouseWarnings(facts, input),
  done: 'The lighthouse settings were changed.',
})

clusterMutation('publishClusterConfig', {
  description: 'Bumps `configVersion` without any other change, so that the configuration is published again.',
  callers: 'nodeWriter',
  bumps: false,
  input: 'The cluster whose configuration is to be published again.',
  expectedVersion: false,
  change: updateClusterVersion,
  warn: publishedWarnings,
  done: 'The version was raised.',
})

clusterMutation('rotateClusterToken', {
  description:
    'Replaces the cluster token, with which machines enroll. The old one stops working at once, or after `graceSeconds`; nodes keep their own tokens.',
  callers: 'clusterWriter',
  input: 'The cluster whose token is to be replaced.',
  dryRun: false,
  fields: (t) => ({ graceSeconds: graceField(t) }),
  change: (scope, id, input, { tokens }) => rotateClusterToken(scope, tokens, id, input),
  again: clusterWithToken,
  done: 'The token was replaced.',
  payload: (t) => ({ token: tokenField(t, 'The new cluster token.', ({ value }) => value.token) }),
})

clusterMutation('deleteCluster', {
  description: 'Deletes a cluster with its nodes and bundles. This cannot be undone.',
  bumps: false,
  input: 'The cluster to delete.',
  dryRun: false,
  change: deleteCluster,
  done: 'The cluster was deleted.',
  shows: 'The cluster as it was.',
})
