import type { Scope } from '../../auth/scope.ts'
import { createNode, deleteNode, rotateNodeToken } from '../../domain/nodes/node-lifecycle.ts'
import { getNode } from '../../domain/nodes/nodes.ts'
import { deletedNodeWarnings, newNodeWarnings } from '../../domain/warnings/nodes.ts'
import { graceField, tokenField } from '../changes/change-fields.ts'
import { nodeMutation } from '../changes/change-mutations.ts'
import { nodeNotesFields } from './node-notes.ts'
import { overlapsField } from './route-overlaps.ts'

async function nodeWithToken(scope: Scope, id: string, token: string) {
  const node = await getNode(scope, id)
  return node && { node, token }
}

nodeMutation('createNode', {
  together: true,
  of: 'clusterId',
  description: 'Creates a node and the token with which its agent signs in.',
  input: 'A new node.',
  fields: (t) => ({
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
  }),
  callers: {
    sentence: 'For operators, tenant admins and editors, and admin nodes; an admin node is created by the others only.',
    // Its token may do what an editor may not, such as replace the cluster token.
    scopes: (_clusterId, { isAdmin }) => (isAdmin ? { adminNodeWriter: true } : { nodeWriter: true }),
  },
  expectedVersion: false,
  change: (scope, clusterId, input, { tokens }) => createNode(scope, tokens, { clusterId, ...input }),
  again: nodeWithToken,
  warn: (facts, { node }) => newNodeWarnings(facts, node),
  done: 'The node was created.',
  shows: 'The new node.',
  payload: (t) => ({
    token: t.string({
      nullable: true,
      description: 'The node token, `orn_…`. It is shown here and never again; null with `dryRun`.',
      resolve: ({ value: { token }, plan }) => (plan === null ? token : null),
    }),
    overlaps: overlapsField(t),
  }),
})

nodeMutation('rotateNodeToken', {
  callers: 'clusterWriter',
  description: 'Replaces a node’s token. The old one is refused from the next request on, or after `graceSeconds`.',
  input: 'The node whose token is to be replaced.',
  dryRun: false,
  fields: (t) => ({ graceSeconds: graceField(t) }),
  change: (scope, id, input, { tokens }) => rotateNodeToken(scope, tokens, id, input),
  again: nodeWithToken,
  done: 'The token was replaced.',
  payload: (t) => ({ token: tokenField(t, 'The new node token.', ({ value }) => value.token) }),
})

nodeMutation('deleteNode', {
  together: true,
  description:
    'Deletes a node: its certificate is revoked, its address is free again, and its token stops working. The last admin node cannot delete itself.',
  input: 'The node to delete.',
  change: deleteNode,
  warn: deletedNodeWarnings,
  done: 'The node was deleted.',
  shows: 'The node as it was.',
})
