import { LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Credential } from '../../db/generated/sqlite/client.ts'
import {
  createEnrollmentKey,
  groupsOfKey,
  listEnrollmentKeys,
  mostKeys,
  revokeEnrollmentKey,
} from '../../domain/credentials/enrollment-keys.ts'
import { labelsOf } from '../../domain/nodes/labels.ts'
import { clusterIdField, tokenField } from '../changes/change-fields.ts'
import { mutation } from '../changes/mutation.ts'
import { scopeOf, seesCredentials } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Label, LabelInput } from '../nodes/node-notes.ts'
import { Cluster } from './clusters.ts'

const EnrollmentKey = builder.objectRef<Credential>('EnrollmentKey').implement({
  description:
    'A key with which machines enroll in a cluster, on the terms that it was made with. The key itself is never shown again.',
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'The key’s id, with which it is revoked.' }),
    name: t.exposeString('name', { description: 'What its maker called it.' }),
    lastFour: t.string({
      description: 'Its last four characters, by which people recognise it.',
      resolve: ({ lastFour }) => lastFour ?? '',
    }),
    groups: t.stringList({ description: 'The groups that its nodes get.', resolve: groupsOfKey }),
    labels: t.field({
      type: [Label],
      description: 'The labels that its nodes get, ordered by key.',
      resolve: ({ labels }) => labelsOf({ labels: labels ?? {} }),
    }),
    ephemeralSeconds: t.exposeInt('ephemeralSeconds', {
      nullable: true,
      description: 'After how many seconds without contact its nodes are removed; null when they stay.',
    }),
    usesAllowed: t.exposeInt('usesAllowed', {
      nullable: true,
      description: 'How many machines may enroll with it; null for any number.',
    }),
    useCount: t.exposeInt('useCount', { description: 'How many machines have enrolled with it.' }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When a machine last enrolled with it; null before the first.',
    }),
    createdBy: t.exposeString('createdBy', {
      nullable: true,
      description: 'Who made it, as the messages of bundles name callers.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTimeISO', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When it expires: no machine enrolls with it from then on. Nodes that did so stay.',
    }),
  }),
})

builder.objectField(Cluster, 'enrollmentKeys', (t) =>
  t.field({
    type: [EnrollmentKey],
    nullable: true,
    description: `The keys with which machines may enroll, until they expire, the newest first; at most ${mostKeys}. A key that is used up is shown until then. Null for nodes that are no admins.`,
    resolve: ({ id }, _args, context) => {
      if (!seesCredentials(context)) return null
      return context.loaders.load(
        { place: 'cluster', purpose: 'enrollment keys' },
        id,
        (ids) => listEnrollmentKeys(scopeOf(context), ids),
        () => [],
      )
    },
  }),
)

mutation('createEnrollmentKey', {
  description:
    'Makes a key with which machines enroll in a cluster, and says what their nodes become. The cluster token is not needed then.',
  callers: 'clusterWriter',
  input: 'A new enrollment key.',
  fields: (t) => ({
    clusterId: clusterIdField(t),
    name: t.string({ required: true, description: 'What people call it: 1 to 255 characters.' }),
    groups: t.stringList({
      description:
        'Groups for the certificates of its nodes: at most 64. Machines get them without asking, whatever the cluster’s `enrollGroups` are. None when null.',
    }),
    labels: t.field({ type: [LabelInput], description: 'Labels for its nodes: at most 32; none when null.' }),
    lifetimeSeconds: t.int({
      description:
        'For how many seconds machines may enroll with it: 60 to 31622400 (366 days); 604800 (a week) when null.',
    }),
    uses: t.int({ description: 'How many machines may enroll with it, 1 to 100000; 1 when null.' }),
    isUnlimited: t.boolean({
      description: 'Whether any number of machines may enroll with it; `uses` must then be null. False when null.',
    }),
    ephemeralSeconds: t.int({
      description:
        'After how many seconds without contact its nodes are removed, 60 to 2592000 (30 days). When null, they stay.',
    }),
  }),
  errors: [ValidationError, NotFoundError, LimitError],
  resolve: ({ clusterId, ...input }, context) =>
    createEnrollmentKey(scopeOf(context), context.tokens, clusterId, input),
  done: 'The key was made.',
  payload: (t) => ({
    enrollmentKey: t.field({ type: EnrollmentKey, description: 'The new key’s terms.', resolve: ({ key }) => key }),
    token: tokenField(t, 'The key itself, `ore_…`, with which machines enroll.', ({ token }) => token),
  }),
})

mutation('revokeEnrollmentKey', {
  description: 'Revokes an enrollment key: from the next request on, no machine enrolls with it. Its nodes stay.',
  callers: 'clusterWriter',
  input: 'The enrollment key to revoke.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'The key’s id.' }) }),
  errors: [NotFoundError],
  resolve: ({ id }, context) => revokeEnrollmentKey(scopeOf(context), id),
  done: 'The key was revoked.',
  payload: (t) => ({
    enrollmentKey: t.field({ type: EnrollmentKey, description: 'The key as it was.', resolve: (key) => key }),
  }),
})
