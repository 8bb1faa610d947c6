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
  description: 'How far the replacement of a cluster’s CA has come.',
  values: {
    TRUST_BOTH: { value: 'TRUST_BOTH', description: 'Nodes learn to trust the new CA beside the old one.' },
    SIGN_AGAIN: { value: 'SIGN_AGAIN', description: 'Nodes get certificates of the new CA; both are trusted.' },
    DROP_OLD: { value: 'DROP_OLD', description: 'Nodes forget the old CA.' },
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
    'A replacement of the cluster’s CA that runs. Each phase is a version of the configuration, and waits until every node that was seen in the last day runs it.',
  fields: (t) => ({
    phase: t.expose('phase', { type: CaRotationPhase, description: 'How far it has come.' }),
    version: t.int({
      description: 'The version of the configuration that nodes must run before the next phase begins.',
      resolve: ({ cluster }) => cluster.caRotationVersion ?? 0,
    }),
    startedAt: t.field({
      type: 'DateTimeISO',
      nullable: true,
      description: 'When it was begun.',
      resolve: ({ cluster }) => cluster.caRotationStartedAt,
    }),
    startedBy: t.string({
      nullable: true,
      description: 'Who began it, such as `operator olga`; null of one that began before this was kept.',
      resolve: ({ cluster }) => cluster.caRotationStartedBy,
    }),
    isAutomatic: t.boolean({
      description: 'Whether it began by itself, since the CA was near its end; see `Cluster.caRotatesAutomatically`.',
      resolve: ({ cluster }) => isAutomatic(cluster),
    }),
    newFingerprint: t.string({
      nullable: true,
      description:
        'The fingerprint of the CA that nodes end up with, 64 hex digits; the old one after an abortion in SIGN_AGAIN.',
      resolve: ({ cluster }) => {
        const pem = rotatesTo(cluster)
        return pem === null ? null : caDetails(pem).fingerprint
      },
    }),
    waitingFor: t.int({
      description: 'How many nodes it waits for; those that were not seen in the last day do not count.',
      resolve: async ({ cluster }, _args, context) => (await waiting(cluster, context)).count,
    }),
    waitingNodes: t.stringList({
      description: 'The names of those nodes, at most 50.',
      resolve: async ({ cluster }, _args, context) => [...(await waiting(cluster, context)).names],
    }),
  }),
})

/** Both fields ask, one look-up answers. */
const waiting = (cluster: Rotating, context: Context): Promise<Waiting> =>
  context.loaders.load(
    { place: 'caRotation', purpose: 'waiting' },
    cluster.id,
    (ids) => nodesToWaitForIn(scopeOf(context), ids),
    { count: 0, names: [] },
  )

builder.prismaObjectField(Cluster, 'caRotation', (t) =>
  t.field({
    type: CaRotation,
    nullable: true,
    description: 'The replacement of its CA that runs; null while none does.',
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
      ...termsFields(t, ' The CA that it shows is thrown away.'),
    }),
  },
  {
    description:
      'Begins to replace the cluster’s CA with a new one, in three versions; see `Cluster.caRotation`. Where its key does not open (`canBeSignedFor`), the new one signs at once and nodes go on trusting the old one until all have certificates of the new one. For operators and tenant admins. Bumps `configVersion`.',
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
    description: 'The cluster whose CA shall stay.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Gives up a rotation: in TRUST_BOTH at once, in SIGN_AGAIN by signing again with the old CA; in DROP_OLD it is too late. For operators and tenant admins. Bumps `configVersion`.',
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
    description: 'The rotation was given up.',
    outputFields: (t) => clusterFields(t),
  },
)

builder.relayMutationField(
  'updateClusterCaRotation',
  {
    description: 'Whether the cluster’s CA is to be replaced by itself.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster’s id.' }),
      automatic: t.boolean({
        required: true,
        description:
          'Whether the replacement begins by itself before the CA ends; when false, `rotateClusterCa` has to be called in time.',
      }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Sets whether the cluster’s CA is replaced by itself before it ends; a rotation that runs goes on. For operators and tenant admins. Bumps `configVersion`.',
    authScopes: { tenantWriter: true },
    errors: outcome('updateClusterCaRotation', NotFoundError, ConflictError),
    resolve: (_root, { input: { clusterId, expectedVersion, automatic } }, context) =>
      updateClusterCaRotation(expecting(scopeOf(context), expectedVersion), clusterId, { automatic }),
  },
  {
    description: 'It was set.',
    outputFields: (t) => ({
      cluster: t.field({ type: Cluster, description: 'The cluster as it is now.', resolve: (cluster) => cluster }),
    }),
  },
)
