import { ConflictError, NotFoundError } from '../../base/errors.ts'
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
import { caDetails } from '../../domain/pki/cluster-ca.ts'
import { keptCaWarnings, rotatedCaWarnings } from '../../domain/warnings/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { clusterMutation } from '../changes/change-mutations.ts'
import { Cluster } from './clusters.ts'
import type { Context } from '../kit/context.ts'

export const CaRotationPhase = builder.enumType('CaRotationPhase', {
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

clusterMutation('rotateClusterCa', {
  description:
    'Begins to replace the cluster’s CA with a new one, in three versions; see `Cluster.caRotation`. If the key of the present CA cannot be opened (`canBeSignedFor`), the new CA signs at once, and nodes go on trusting the old one until all have certificates of the new one.',
  input: 'The cluster whose CA is to be replaced.',
  fields: (t) => ({
    caLifetimeDays: t.int({ description: 'How long the new CA is valid, 1 to 7300 days; 3650 when null.' }),
  }),
  dryRunNote: 'A dry run discards the CA that it shows.',
  change: (scope, id, input, { vault }) => rotateClusterCa(scope, vault, id, input),
  warn: rotatedCaWarnings,
  done: 'The rotation has begun.',
})

clusterMutation('abortClusterCaRotation', {
  description:
    'Aborts a rotation: in TRUST_BOTH at once, in SIGN_AGAIN by signing again with the old CA. In DROP_OLD it is too late.',
  input: 'The cluster whose CA rotation is to be aborted.',
  change: abortClusterCaRotation,
  warn: keptCaWarnings,
  done: 'The rotation was aborted.',
})

clusterMutation('updateClusterCaRotation', {
  description:
    'Sets whether the cluster’s CA is replaced automatically before it ends. A rotation in progress continues.',
  input: 'Whether the cluster’s CA is to be replaced automatically.',
  fields: (t) => ({
    automatic: t.boolean({
      required: true,
      description:
        'Whether a rotation begins automatically before the CA ends. When false, call `rotateClusterCa` in time.',
    }),
  }),
  errors: [NotFoundError, ConflictError],
  dryRun: false,
  change: (scope, id, input) => updateClusterCaRotation(scope, id, input),
  done: 'The setting was changed.',
})
