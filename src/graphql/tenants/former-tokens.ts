import type { Scope } from '../../auth/scope.ts'
import type { Credential as Row } from '../../db/generated/sqlite/client.ts'
import {
  formerTokensOfClusters,
  formerTokensOfNodes,
  formerTokensOfTokens,
} from '../../domain/credentials/former-tokens.ts'
import { Cluster } from '../clusters/clusters.ts'
import { scopeOf, seesCredentials } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import type { Context } from '../kit/context.ts'
import { Node } from '../nodes/nodes.ts'
import { Credential } from './credentials.ts'

const description =
  'Its former token, while that still works after a replacement with `graceSeconds`: until when, and when it was last used. Null without one, and for nodes that are no admins.'

type Find = (scope: Scope, ids: readonly string[]) => Promise<Map<string, Row>>

/** One statement for all objects of an answer. */
const formerToken = (
  context: Context,
  id: string,
  place: 'cluster' | 'node' | 'credential',
  find: Find,
): Promise<Row | null> | null =>
  seesCredentials(context)
    ? context.loaders.load<Row | null>(
        { place, purpose: 'former token' },
        id,
        (ids) => find(scopeOf(context), ids),
        () => null,
      )
    : null

builder.objectField(Node, 'formerToken', (t) =>
  t.field({
    type: Credential,
    nullable: true,
    description,
    resolve: ({ id }, _args, context) => formerToken(context, id, 'node', formerTokensOfNodes),
  }),
)

builder.objectField(Cluster, 'formerToken', (t) =>
  t.field({
    type: Credential,
    nullable: true,
    description,
    resolve: ({ id }, _args, context) => formerToken(context, id, 'cluster', formerTokensOfClusters),
  }),
)

builder.objectField(Credential, 'formerToken', (t) =>
  t.field({
    type: Credential,
    nullable: true,
    description,
    resolve: ({ id }, _args, context) => formerToken(context, id, 'credential', formerTokensOfTokens),
  }),
)
