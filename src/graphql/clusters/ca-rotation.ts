import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Cluster as ClusterRow } from '../../db/generated/sqlite/client.ts'
import { nodesToWaitForIn, type Waiting } from '../../domain/pki/ca-rotation-progress.ts'
import {
  abortClusterCaRotation,
  phaseOf,
  rotateClusterCa,
  rotatesTo,
  type CaRotationPhase as Phase,
} from '../../domain/pki/ca-rotation.ts'
import { isAutomatic, updateClusterCaRotation } from '../../domain/pki/ca-rotation-due.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { caDetails } from '../../domain/pki/cluster-ca.ts'
import { keptCaWarnings, rotatedCaWarnings } from '../../domain/warnings/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { changed, clusterFields, expectedVersionField, termsFields } from '../changes/change.ts'
import { Cluster } from './clusters.ts'
import type { Context } from '../kit/context.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'

const CaRotationPhase = builder.enumType('CaRotationPhase', {
  description: 'How far a CA rotation has progressed.',
  values: {
    TRUST_BOTH: { value: 'TRUST_BOTH', description: 'Nodes learn to trust the new CA in addition to the old one.' },
    SIGN_AGAIN: { value: 'SIGN_AGAIN', description: 'Nodes get certificates signed by the new CA; they trust both.' },
    DROP_OLD: { value: 'DROP_OLD', description: 'Nodes stop trusting the old CA.' },
  } as const,
})

type Rotating = Pick<
  ClusterRow,
  | 'id'
  | 'caRotationPhase'
  | 'caRotationVersion'
  | 'caRotationStartedAt'
  | 'caRotationStartedBy'
  | 'pkiCaCert'
  | 'pkiOtherCaCert'
>

interface Rotation {
  readonly phase: Phase
  readonly cluster: Rotating
}

const CaRotation = builder.objectRef<Rotation>('CaRotation').implement({
  description:
    'A rotation of the cluster’s CA that is in progress. Each phase is a version of the configuration. It ends when every node that was seen in the last day runs that version.',
  fields: (t) => ({
    phase: t.expose('phase', { type: CaRotationPhase, description: 'How far the rotation has progressed.' }),
    version: t.int({
      description: 'The version of the configuration that nodes must run before the next phase begins.',
      resolve: ({ cluster }) => cluster.caRotationVersion ?? 0,
    }),
    startedAt: t.field({
      type: 'DateTimeISO',
      nullable: true,
      description: 'When the rotation began; null if that was not recorded.',
      resolve: ({ cluster }) => cluster.caRotationStartedAt,
    }),
    startedBy: t.string({
      nullable: true,
      description: 'Who began it, such as `operator olga`; null if it began before this was recorded.',
      resolve: ({ cluster }) => cluster.caRotationStartedBy,
    }),
    isAutomatic: t.boolean({
      description:
        'Whether it began automatically because the CA was near its end; see `Cluster.caRotatesAutomatically`.',
      resolve: ({ cluster }) => isAutomatic(cluster),
    }),
    newFingerprint: t.string({
      nullable: true,
      description:
        'The fingerprint of the CA that nodes will end up with, 64 hex digits. After an abort in SIGN_AGAIN that is the old CA.',
      resolve: ({ cluster }) => {
        const pem = rotatesTo(cluster)
        return pem === null ? null : caDetails(pem).fingerprint
      },
    }),
    waitingFor: t.int({
      description: 'How many nodes the rotation waits for. Nodes that were not seen in the last day do not count.',
      resolve: async ({ cluster }, _args, context) => (await waiting(cluster, context)).count,
    }),
    waitingNodes: t.stringList({
      description: 'The names of the nodes that the rotation waits for; at most 50.',
      resolve: async ({ cluster }, _args, context) => [...(await waiting(cluster, context)).names],
    }),
  }),
})

/** One look-up for both fields. */
const waiting = (cluster: Rotating, context: Context): Promise<Waiting> =>
  context.loaders.load(
    { place: 'caRotation', purpose: 'waiting' },
    cluster.id,
    (ids) => nodesToWaitForIn(scopeOf(context), ids),
    () => ({ count: 0, names: [] }),
  )

builder.prismaObjectField(Cluster, 'caRotation', (t) =>
  t.field({
    type: CaRotation,
    nullable: true,
    description: 'The rotation of its CA that is in progress; null when there is no rotation.',
    select: {
      id: true,
      caRotationPhase: true,
      caRotationVersion: true,
      caRotationStartedAt: true,
      caRotationStartedBy: true,
      pkiCaCert: true,
      pkiOtherCaCert: true,
    },
    resolve: (cluster) => {
      const phase = phaseOf(cluster)
      return phase === null ? null : { phase, cluster }
    },
  }),
)

builder.relayMutationField(
  'rotateClusterCa',
  {
    description: 'The cluster whose CA is to be replaced.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      caLifetimeDays: t.int({ description: 'How long the new CA is valid, 1 to 7300 days; 3650 when null.' }),
      ...termsFields(t, ' A dry run discards the CA that it shows.'),
    }),
  },
  {
    description:
      'Begins to replace the cluster’s CA with a new one, in three versions; see `Cluster.caRotation`. If the key of the present CA cannot be opened (`canBeSignedFor`), the new CA signs at once, and nodes go on trusting the old one until all have certificates of the new one. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('rotateClusterCa', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => rotateClusterCa(scope, context.vault, clusterId, given(input)),
          warn: (facts) => rotatedCaWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The rotation has begun.',
    outputFields: (t) => clusterFields(t),
  },
)

builder.relayMutationField(
  'abortClusterCaRotation',
  {
    description: 'The cluster whose CA rotation is to be aborted.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Aborts a rotation: in TRUST_BOTH at once, in SIGN_AGAIN by signing again with the old CA. In DROP_OLD it is too late. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('abortClusterCaRotation', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { clusterId, dryRun, expectedVersion } }, context) =>
      changed(
        context,
        { clusterId },
        { dryRun, expectedVersion },
        {
          change: (scope) => abortClusterCaRotation(scope, clusterId),
          warn: (facts) => keptCaWarnings(facts(clusterId)),
        },
      ),
  },
  {
    description: 'The rotation was aborted.',
    outputFields: (t) => clusterFields(t),
  },
)

builder.relayMutationField(
  'updateClusterCaRotation',
  {
    description: 'Whether the cluster’s CA is to be replaced automatically.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      automatic: t.boolean({
        required: true,
        description:
          'Whether a rotation begins automatically before the CA ends. When false, call `rotateClusterCa` in time.',
      }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Sets whether the cluster’s CA is replaced automatically before it ends. A rotation in progress continues. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterCaRotation', NotFoundError, ConflictError),
    resolve: (_root, { input: { clusterId, expectedVersion, automatic } }, context) =>
      updateClusterCaRotation(expecting(scopeOf(context), expectedVersion), clusterId, { automatic }),
  },
  {
    description: 'The setting was changed.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: (cluster) => cluster }),
    }),
  },
)
