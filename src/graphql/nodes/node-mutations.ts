import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import { expecting } from '../../domain/clusters/expected-version.ts'
import { createNode, deleteNode, rotateNodeToken } from '../../domain/nodes/node-lifecycle.ts'
import { listRouteOverlaps } from '../../domain/nodes/routes.ts'
import { deletedNodeWarnings, newNodeWarnings } from '../../domain/warnings/nodes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { changed, changeFields, dryRunField, expectedVersionField, nodeFields, termsFields } from '../changes/change.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'
import { nodeNotesFields } from './node-notes.ts'
import { Node } from './nodes.ts'
import { RouteOverlap } from './route-overlaps.ts'

builder.relayMutationField(
  'createNode',
  {
    description: 'A new node.',
    inputFields: (t) => ({
      clusterId: t.field({ type: 'UUID', required: true, description: 'The cluster that the node will belong to.' }),
      name: t.string({ required: true, description: 'Unique in the cluster; 1 to 253 bytes of UTF-8.' }),
      isAdmin: t.boolean({ description: 'Whether it may manage its cluster; false when null.' }),
      mtu: t.int({ description: 'The largest packet of its tunnel device, 1280 to 9000 bytes; 1300 when null.' }),
      routes: t.field({
        type: ['CIDR'],
        description: 'Networks outside the overlay that are reached through the node: at most 256; none when null.',
      }),
      allowDefaultRoute: t.boolean({
        description:
          'Whether `routes` may contain a default route, which takes all traffic (`0.0.0.0/0`); false when null.',
      }),
      groups: t.stringList({
        description: 'Groups for its certificate: at most 64, 1 to 253 bytes each, no commas; none when null.',
      }),
      overlayIp: t.field({
        type: 'IP',
        description: 'The node’s overlay address; the lowest free one when null.',
      }),
      isLighthouse: t.boolean({ description: 'Whether it is a lighthouse; false when null.' }),
      lighthousePublicIp: t.field({
        type: 'IP',
        description: 'The underlay address at which the other nodes reach it; required for a lighthouse.',
      }),
      lighthousePort: t.field({
        type: 'Port',
        description: 'The lighthouse’s UDP port; the cluster’s `lighthousePort` when null.',
      }),
      isRelay: t.boolean({ description: 'Whether it is a relay; false when null.' }),
      ...nodeNotesFields(t),
      dryRun: dryRunField(t),
    }),
  },
  {
    description:
      'Creates a node and the token with which its agent signs in. For operators, tenant admins and admin nodes. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('createNode', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { dryRun, ...input } }, context) =>
      changed(
        context,
        input,
        { dryRun },
        {
          change: (scope) => createNode(scope, context.tokens, given(input)),
          warn: (facts, { node }) => newNodeWarnings(facts, node),
        },
      ),
  },
  {
    description: 'The node was created.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The new node.', resolve: ({ value: { node } }) => node }),
      token: t.string({
        nullable: true,
        description: 'The node token, `orn_…`. It is shown here and never again; null with `dryRun`.',
        resolve: ({ value: { token }, plan }) => (plan === null ? token : null),
      }),
      overlaps: t.field({
        type: [RouteOverlap],
        description:
          'Where its routes overlap with routes of other nodes of the cluster, which is allowed; at most 1000 are listed.',
        resolve: ({ value: { node } }, _args, context) => listRouteOverlaps(scopeOf(context), node),
      }),
      ...changeFields(t),
    }),
  },
)

builder.relayMutationField(
  'rotateNodeToken',
  {
    description: 'The node whose token is to be replaced.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      expectedVersion: expectedVersionField(t),
    }),
  },
  {
    description:
      'Replaces a node’s token. The old one is refused from the next request on. For operators, tenant admins and admin nodes. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('rotateNodeToken', NotFoundError, ConflictError),
    resolve: (_root, { input: { nodeId, expectedVersion } }, context) =>
      rotateNodeToken(expecting(scopeOf(context), expectedVersion), context.tokens, nodeId),
  },
  {
    description: 'The token was replaced.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The node.', resolve: ({ node }) => node }),
      token: t.string({
        description: 'The new node token. It is shown here and never again.',
        resolve: ({ token }) => token,
      }),
    }),
  },
)

builder.relayMutationField(
  'deleteNode',
  {
    description: 'The node to delete.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Deletes a node: its certificate is revoked, its address is free again, and its token stops working. For operators, tenant admins and admin nodes; the last admin node cannot delete itself. Bumps `configVersion`.',
    authScopes: { clusterWriter: true },
    errors: outcome('deleteNode', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        { change: (scope) => deleteNode(scope, nodeId), warn: deletedNodeWarnings },
      ),
  },
  {
    description: 'The node was deleted.',
    outputFields: (t) => nodeFields(t, 'The node as it was.'),
  },
)
