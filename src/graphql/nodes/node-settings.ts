import { ConflictError, LimitError, NotFoundError, ValidationError } from '../../base/errors.ts'
import {
  updateNodeAdmin,
  updateNodeGroups,
  updateNodeLighthouse,
  updateNodeMtu,
  updateNodeRelay,
  updateNodeRoutes,
} from '../../domain/nodes/node-settings.ts'
import { listRouteOverlaps } from '../../domain/nodes/routes.ts'
import { groupWarnings, mtuWarnings, nodeLighthouseWarnings, nodeRelayWarnings } from '../../domain/warnings/nodes.ts'
import { routeWarnings } from '../../domain/warnings/routes.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { changed, changeFields, nodeFields, termsFields } from '../changes/change.ts'
import { outcome } from '../kit/errors.ts'
import { given } from '../kit/input.ts'
import { Node } from './nodes.ts'
import { RouteOverlap } from './route-overlaps.ts'

const writers = 'For operators, tenant admins and admin nodes. Bumps `configVersion`.'

builder.relayMutationField(
  'updateNodeMtu',
  {
    description: 'The node’s new MTU.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      mtu: t.int({ required: true, description: 'The largest packet of its tunnel device: 1280 to 9000 bytes.' }),
      ...termsFields(t),
    }),
  },
  {
    description: `Sets a node’s MTU. ${writers}`,
    authScopes: { clusterWriter: true },
    errors: outcome('updateNodeMtu', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        { change: (scope) => updateNodeMtu(scope, nodeId, input), warn: (_facts, node) => mtuWarnings(node) },
      ),
  },
  {
    description: 'The MTU was set.',
    outputFields: (t) => nodeFields(t),
  },
)

builder.relayMutationField(
  'updateNodeRoutes',
  {
    description: 'The node’s new routes.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      routes: t.field({
        type: ['CIDR'],
        required: true,
        description:
          'Networks outside the overlay that are reached through the node; replaces the present ones. At most 256.',
      }),
      allowDefaultRoute: t.boolean({
        description:
          'Whether `routes` may contain a default route, which takes all traffic (`0.0.0.0/0`). A node that is no admin may not set it. False when null.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description:
      'Replaces a node’s routes and signs its certificate again. For operators, tenant admins, admin nodes, and the node itself. Bumps `configVersion`.',
    // A node must not decide alone to take the traffic of all nodes.
    authScopes: (_root, { input }) =>
      input.allowDefaultRoute ? { clusterWriter: true } : { clusterWriter: true, nodeItself: input.nodeId },
    errors: outcome('updateNodeRoutes', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        { change: (scope) => updateNodeRoutes(scope, context.vault, nodeId, given(input)), warn: routeWarnings },
      ),
  },
  {
    description: 'The routes were set.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The node as it is now.', resolve: ({ value }) => value }),
      overlaps: t.field({
        type: [RouteOverlap],
        description:
          'Where its routes overlap with routes of other nodes of the cluster, which is allowed; at most 1000 are listed.',
        resolve: ({ value }, _args, context) => listRouteOverlaps(scopeOf(context), value),
      }),
      ...changeFields(t),
    }),
  },
)

builder.relayMutationField(
  'updateNodeLighthouse',
  {
    description: 'All lighthouse settings of the node: a null field clears its setting.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      isLighthouse: t.boolean({ required: true, description: 'Whether the other nodes ask it where their peers are.' }),
      lighthousePublicIp: t.field({
        type: 'IP',
        description: 'The underlay address at which the other nodes reach it; required for a lighthouse.',
      }),
      lighthousePort: t.field({ type: 'Port', description: 'Its UDP port; the cluster’s `lighthousePort` when null.' }),
      ...termsFields(t),
    }),
  },
  {
    description: `Makes a node a lighthouse, or no longer one. ${writers}`,
    authScopes: { clusterWriter: true },
    errors: outcome('updateNodeLighthouse', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        { change: (scope) => updateNodeLighthouse(scope, nodeId, given(input)), warn: nodeLighthouseWarnings },
      ),
  },
  {
    description: 'The lighthouse settings were set.',
    outputFields: (t) => nodeFields(t),
  },
)

builder.relayMutationField(
  'updateNodeRelay',
  {
    description: 'The node’s relay setting.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      isRelay: t.boolean({
        required: true,
        description: 'Whether it relays packets between nodes that cannot reach each other directly.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description: `Makes a node a relay, or no longer one. ${writers}`,
    authScopes: { clusterWriter: true },
    errors: outcome('updateNodeRelay', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        { change: (scope) => updateNodeRelay(scope, nodeId, input), warn: (_facts, node) => nodeRelayWarnings(node) },
      ),
  },
  {
    description: 'The relay setting was set.',
    outputFields: (t) => nodeFields(t),
  },
)

builder.relayMutationField(
  'updateNodeGroups',
  {
    description: 'The node’s new groups.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      groups: t.stringList({
        required: true,
        description:
          'The groups for its certificate; replaces the present ones. At most 64, 1 to 253 bytes each, no commas.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description: `Replaces a node’s groups and signs its certificate again. ${writers}`,
    authScopes: { clusterWriter: true },
    errors: outcome('updateNodeGroups', ValidationError, NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        {
          change: (scope) => updateNodeGroups(scope, context.vault, nodeId, input),
          warn: (facts, { node, former }) => groupWarnings(facts, node, former),
        },
      ),
  },
  {
    description: 'The groups were set.',
    outputFields: (t) => ({
      node: t.field({ type: Node, description: 'The node as it is now.', resolve: ({ value: { node } }) => node }),
      ...changeFields(t),
    }),
  },
)

builder.relayMutationField(
  'updateNodeAdmin',
  {
    description: 'Whether the node is an admin.',
    inputFields: (t) => ({
      nodeId: t.field({ type: 'UUID', required: true, description: 'The node’s id.' }),
      isAdmin: t.boolean({
        required: true,
        description: 'Whether its token may manage the nodes, tokens and bundles of its cluster.',
      }),
      ...termsFields(t),
    }),
  },
  {
    description: `Makes a node an admin of its cluster, or no longer one; the last admin node cannot demote itself. ${writers}`,
    authScopes: { clusterWriter: true },
    errors: outcome('updateNodeAdmin', NotFoundError, ConflictError, LimitError),
    resolve: (_root, { input: { nodeId, dryRun, expectedVersion, ...input } }, context) =>
      changed(
        context,
        { nodeId },
        { dryRun, expectedVersion },
        {
          change: (scope) => updateNodeAdmin(scope, nodeId, input),
          // The rights of its token change nothing in the network.
          warn: () => [],
        },
      ),
  },
  {
    description: 'The node’s admin right was set.',
    outputFields: (t) => nodeFields(t),
  },
)
