import { ConflictError, LimitError, NotFoundError } from '../../base/errors.ts'
import {
  renameNode,
  updateNodeAdmin,
  updateNodeGroups,
  updateNodeLighthouse,
  updateNodeMtu,
  updateNodeRelay,
  updateNodeRoutes,
} from '../../domain/nodes/node-settings.ts'
import {
  groupWarnings,
  mtuWarnings,
  nodeLighthouseWarnings,
  nodeRelayWarnings,
  renamedNodeWarnings,
} from '../../domain/warnings/nodes.ts'
import { routeWarnings } from '../../domain/warnings/routes.ts'
import { nodeMutation } from '../changes/change-mutations.ts'
import { overlapsField } from './route-overlaps.ts'

nodeMutation('renameNode', {
  description:
    'Gives a node another name and signs its certificate again; the certificates with its former name are revoked. Its address, key and token stay.',
  input: 'The node’s new name.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Unique in the cluster; 1 to 253 bytes of UTF-8.' }),
  }),
  change: (scope, id, input, { vault }) => renameNode(scope, vault, id, input),
  warn: (facts, { node, former }) => renamedNodeWarnings(facts, node, former),
  done: 'The node was renamed.',
})

nodeMutation('updateNodeMtu', {
  together: true,
  description: 'Sets a node’s MTU.',
  input: 'The node’s new MTU.',
  fields: (t) => ({
    mtu: t.int({ required: true, description: 'The largest packet of its tunnel device: 1280 to 9000 bytes.' }),
  }),
  change: (scope, id, input) => updateNodeMtu(scope, id, input),
  warn: (_facts, node) => mtuWarnings(node),
  done: 'The MTU was set.',
})

nodeMutation('updateNodeRoutes', {
  together: true,
  description: 'Replaces a node’s routes and signs its certificate again.',
  input: 'The node’s new routes.',
  fields: (t) => ({
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
  }),
  callers: {
    sentence: 'For operators, tenant admins and editors, admin nodes, and the node itself.',
    // A node must not decide alone to take the traffic of all nodes.
    scopes: (nodeId, { allowDefaultRoute }) =>
      allowDefaultRoute ? { nodeWriter: true } : { nodeWriter: true, nodeItself: nodeId },
  },
  change: (scope, id, input, { vault }) => updateNodeRoutes(scope, vault, id, input),
  warn: routeWarnings,
  done: 'The routes were set.',
  payload: (t) => ({ overlaps: overlapsField(t) }),
})

nodeMutation('updateNodeLighthouse', {
  together: true,
  description: 'Makes a node a lighthouse, or no longer one.',
  input: 'All lighthouse settings of the node: a null field clears its setting.',
  fields: (t) => ({
    isLighthouse: t.boolean({ required: true, description: 'Whether the other nodes ask it where their peers are.' }),
    lighthousePublicIp: t.field({
      type: 'IP',
      description: 'The underlay address at which the other nodes reach it; required for a lighthouse.',
    }),
    lighthousePort: t.field({ type: 'Port', description: 'Its UDP port; the cluster’s `lighthousePort` when null.' }),
  }),
  change: (scope, id, input) => updateNodeLighthouse(scope, id, input),
  warn: nodeLighthouseWarnings,
  done: 'The lighthouse settings were set.',
})

nodeMutation('updateNodeRelay', {
  together: true,
  description: 'Makes a node a relay, or no longer one.',
  input: 'The node’s relay setting.',
  fields: (t) => ({
    isRelay: t.boolean({
      required: true,
      description: 'Whether it relays packets between nodes that cannot reach each other directly.',
    }),
  }),
  errors: [NotFoundError, ConflictError, LimitError],
  change: (scope, id, input) => updateNodeRelay(scope, id, input),
  warn: (_facts, node) => nodeRelayWarnings(node),
  done: 'The relay setting was set.',
})

nodeMutation('updateNodeGroups', {
  together: true,
  description: 'Replaces a node’s groups and signs its certificate again.',
  input: 'The node’s new groups.',
  fields: (t) => ({
    groups: t.stringList({
      required: true,
      description:
        'The groups for its certificate; replaces the present ones. At most 64, 1 to 253 bytes each, no commas.',
    }),
  }),
  change: (scope, id, input, { vault }) => updateNodeGroups(scope, vault, id, input),
  warn: (facts, { node, former }) => groupWarnings(facts, node, former),
  done: 'The groups were set.',
})

nodeMutation('updateNodeAdmin', {
  together: true,
  // The token of an admin node may do what an editor may not.
  callers: 'clusterWriter',
  description: 'Makes a node an admin of its cluster, or no longer one; the last admin node cannot demote itself.',
  input: 'Whether the node is an admin.',
  fields: (t) => ({
    isAdmin: t.boolean({
      required: true,
      description: 'Whether its token may manage the nodes, tokens and bundles of its cluster.',
    }),
  }),
  errors: [NotFoundError, ConflictError, LimitError],
  change: (scope, id, input) => updateNodeAdmin(scope, id, input),
  // The rights of its token change nothing in the network.
  warn: () => [],
  done: 'The node’s admin right was set.',
})
