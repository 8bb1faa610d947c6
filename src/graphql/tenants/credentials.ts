import { apiScopes } from '../../auth/api-scopes.ts'
import { mostClusters } from '../../auth/session.ts'
import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import type { Credential as CredentialRow } from '../../db/generated/sqlite/client.ts'
import {
  accessTokenAgain,
  createAccessToken,
  listCredentials,
  longestDays,
  revokeCredential,
  rotateAccessToken,
  type PersonRole,
} from '../../domain/tenants/access-tokens.ts'
import { madeAndGone } from '../../domain/audit/repeats.ts'
import { graceField } from '../changes/change-fields.ts'
import { mutation, type PayloadFields } from '../changes/mutation.ts'
import { credentialIdOf, scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { resolveConnection } from '../kit/connection.ts'
import { tenantRoleValues } from './tenant-roles.ts'

const CredentialKind = builder.enumType('CredentialKind', {
  description: 'What a credential is.',
  values: {
    SIGN_IN_LINK: { value: 'sign_in_link', description: 'It is exchanged for a session, once.' },
    SESSION: { value: 'session', description: 'A person is signed in with it.' },
    ACCESS_TOKEN: { value: 'access_token', description: 'A person or a script keeps it.' },
    ENROLLMENT_KEY: { value: 'enrollment_key', description: 'Machines enroll with it.' },
    REPLACED_TOKEN: {
      value: 'replaced_token',
      description: 'A former token of a node, a cluster or an access token, during its grace time.',
    },
  } as const,
})

const CredentialRole = builder.enumType('CredentialRole', {
  description: 'What the holder of a credential may do.',
  values: {
    OPERATOR: { value: 'operator', description: 'Everything, in all tenants.' },
    ...tenantRoleValues,
  } satisfies Record<string, { value: PersonRole; description: string }>,
})

export const Credential = builder.prismaObject('Credential', {
  description: 'What somebody signs in with, and what can be revoked. The token itself is not stored.',
  select: { id: true },
  fields: (t) => ({
    id: t.expose('id', { type: 'UUID', description: 'By which it is revoked.' }),
    kind: t.field({
      type: CredentialKind,
      description: 'What it is.',
      select: { kind: true },
      // The table's CHECK allows no other value.
      resolve: ({ kind }) => kind as typeof CredentialKind.$inferType,
    }),
    name: t.exposeString('name', { description: 'Whose it is, or what it is for.' }),
    role: t.field({
      type: CredentialRole,
      nullable: true,
      description: 'What its holder may do; null for what has no role of its own.',
      select: { role: true },
      // Only roles of the enum are written.
      resolve: ({ role }) => role as PersonRole | null,
    }),
    scopes: t.stringList({
      nullable: true,
      description: 'What it is limited to, such as `nodes:read`; null for everything that the role may.',
      select: { scopes: true },
      // Only lists of scopes are written.
      resolve: ({ scopes }) => scopes as string[] | null,
    }),
    clusterIds: t.field({
      type: ['UUID'],
      nullable: true,
      description: 'The clusters that it is limited to, also those that were deleted since; null for no limit.',
      select: { clusterIds: true },
      // Only lists of ids are written.
      resolve: ({ clusterIds }) => clusterIds as string[] | null,
    }),
    tenantId: t.expose('tenantId', {
      type: 'UUID',
      nullable: true,
      description: 'The tenant that it belongs to; null for an operator’s.',
    }),
    clusterId: t.expose('clusterId', {
      type: 'UUID',
      nullable: true,
      description: 'The cluster of an enrollment key or of a former token; null for others.',
    }),
    nodeId: t.expose('nodeId', {
      type: 'UUID',
      nullable: true,
      description: 'The node whose former token it is; null for others.',
    }),
    accessTokenId: t.expose('credentialId', {
      type: 'UUID',
      nullable: true,
      description: 'The access token whose former token it is, or with which the session was begun; null for others.',
    }),
    createdAt: t.expose('createdAt', {
      type: 'DateTimeISO',
      description: 'When it was made; of a former token, when it was replaced.',
    }),
    createdBy: t.exposeString('createdBy', {
      nullable: true,
      description: 'Who made it, as messages name them; null where this was not recorded.',
    }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTimeISO',
      nullable: true,
      description: 'When it ends; null if it stays until it is revoked.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTimeISO',
      nullable: true,
      description:
        'When it was last used, to the minute (rounded down), and written within about a minute; null if it was never used. Of a former token: since it was replaced.',
    }),
    lastFour: t.exposeString('lastFour', {
      nullable: true,
      description: 'The last four characters of the token; null where they were not recorded.',
    }),
  }),
})

const CredentialFilter = builder.inputType('CredentialFilter', {
  description: 'Which credentials to list; an omitted field does not narrow the list.',
  fields: (t) => ({
    kind: t.field({ type: CredentialKind, description: 'Only credentials of this kind.' }),
    tenantId: t.field({ type: 'UUID', description: 'Only credentials of this tenant.' }),
  }),
})

const CredentialConnection = builder.connectionObject(
  { type: Credential, name: 'CredentialConnection', description: 'A page of credentials, ordered by name.' },
  { name: 'CredentialEdge', description: 'A credential and its cursor.' },
)

builder.queryField('credentials', (t) =>
  t.connection(
    {
      type: Credential,
      description:
        'The credentials that can be revoked, ordered by name: all of them for operators, those of the tenant for its admins. For operators and tenant admins.',
      authScopes: { tenantWriter: true },
      args: { filter: t.arg({ type: CredentialFilter, description: 'Which credentials to list; all when null.' }) },
      resolve: (_root, { filter, ...args }, context, info) =>
        resolveConnection<CredentialRow>(listCredentials(filter ?? {}), { args, context, info }),
    },
    CredentialConnection,
  ),
)

const credentialField = (t: PayloadFields<{ readonly credential: CredentialRow }>, description: string) =>
  t.field({ type: Credential, description, resolve: ({ credential }) => credential })

mutation('createAccessToken', {
  description:
    'Makes an access token, for a person or a script. It may do no more than you: admins make tokens of their own tenant, and an access token makes none that ends after itself or has further scopes.',
  callers: 'wholeTenantWriter',
  input: 'A new access token.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for, shown in messages; 1 to 255 characters.' }),
    role: t.field({ type: CredentialRole, required: true, description: 'What its holder may do.' }),
    tenantId: t.field({
      type: 'UUID',
      description:
        'The tenant of its holder. Operators give it for every role but `OPERATOR`; for admins, null is theirs.',
    }),
    scopes: t.stringList({
      description: `Limits the token, within its role, to at least one of ${apiScopes.join(', ')}; \`write\` includes \`read\`. It is refused what shows or changes others. Null for everything that the role may.`,
    }),
    clusterIds: t.field({
      type: ['UUID'],
      description: `Limits the token to 1 to ${mostClusters} clusters of the tenant: it sees and changes only these and what is in them, and makes no cluster and no access token. A deleted cluster leaves the others; when all are deleted, it sees none. Null for all.`,
    }),
    expiresAt: t.field({
      type: 'DateTimeISO',
      required: true,
      description: `When it ends: within ${longestDays} days from now.`,
    }),
  }),
  errors: [ValidationError, NotFoundError, LimitError],
  resolve: (input, context) =>
    createAccessToken(
      { scope: scopeOf(context), tokens: context.tokens, credentialId: credentialIdOf(context) },
      input,
    ),
  done: 'The access token was made.',
  payload: (t) => ({
    credential: credentialField(t, 'What is stored about it.'),
    token: t.string({
      description: 'The access token, `orp_…`. It is shown here and never again.',
      resolve: ({ token }) => token,
    }),
  }),
})

mutation('rotateAccessToken', {
  description:
    'Replaces the secret of an access token. Its rights and its end stay. The old one is refused from the next request on, or after `graceSeconds`; without a grace time, the sessions that were begun with it end, too. A token that may do more than yours, or ends later, is refused.',
  callers: 'wholeTenantWriter',
  input: 'The access token whose secret is to be replaced.',
  fields: (t) => ({
    id: t.field({ type: 'UUID', required: true, description: 'The access token’s id.' }),
    graceSeconds: graceField(t),
  }),
  errors: [ValidationError, NotFoundError, ConflictError],
  resolve: (input, context) =>
    rotateAccessToken(
      { scope: scopeOf(context), tokens: context.tokens, credentialId: credentialIdOf(context) },
      input,
    ),
  repeats: {
    type: 'Credential',
    again: async (context, { id, secret }) => {
      const made = await accessTokenAgain(scopeOf(context), id, secret ?? '')
      if (made === null) throw madeAndGone('Credential')
      return made
    },
  },
  done: 'The secret was replaced.',
  payload: (t) => ({
    credential: credentialField(t, 'The access token as it is now.'),
    token: t.string({
      description: 'The new secret, `orp_…`. It is shown here and never again.',
      resolve: ({ token }) => token,
    }),
  }),
})

mutation('revokeCredential', {
  description:
    'Revokes a credential. It is refused from the next request on, and its streams end at once. This cannot be undone.',
  callers: 'tenantWriter',
  input: 'The credential to revoke.',
  fields: (t) => ({ id: t.field({ type: 'UUID', required: true, description: 'The credential’s id.' }) }),
  errors: [NotFoundError],
  resolve: async ({ id }, context) => ({ credential: await revokeCredential(scopeOf(context), id) }),
  done: 'The credential was revoked.',
  payload: (t) => ({ credential: credentialField(t, 'The credential as it was.') }),
})
