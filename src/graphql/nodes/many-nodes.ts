import { CallerError } from '../../base/errors.ts'
import { blockNodes, deleteNodes, rotateNodeTokens, unblockNodes } from '../../domain/nodes/many/lifecycle.ts'
import { nodesUpdate, updateNodes } from '../../domain/nodes/many/update-nodes.ts'
import { removedNodesWarnings, updatedNodesWarnings } from '../../domain/warnings/many-nodes.ts'
import { graceField } from '../changes/change-fields.ts'
import { nodesMutation } from '../changes/nodes-mutation.ts'
import { builder } from '../kit/builder.ts'
import { given } from '../kit/input.ts'
import { LabelInput } from './node-notes.ts'

const groupsRule = 'At most 64, 1 to 253 bytes each, no commas.'

const NodesSet = builder.inputType('NodesSet', {
  description: 'Values that each of the nodes is given; a null field leaves its value as it is.',
  fields: (t) => ({
    groups: t.stringList({ description: `Replaces all groups. ${groupsRule}` }),
    labels: t.field({ type: [LabelInput], description: 'Replaces all labels: at most 32.' }),
    mtu: t.int({ description: 'The largest packet of the tunnel device: 1280 to 9000 bytes.' }),
    isRelay: t.boolean({
      description: 'Whether it relays packets between nodes that cannot reach each other directly.',
    }),
    description: t.string({
      description: 'A note for people: one line of at most 500 characters. Empty for no description.',
    }),
  }),
})

nodesMutation('updateNodes', {
  description:
    'Changes settings, groups and labels of up to 1000 nodes. Nodes with other groups get a new certificate. Every call is a version, also if only notes change.',
  input: 'The nodes, and what they are given.',
  fields: (t) => ({
    set: t.field({ type: NodesSet, description: 'Values for all of them; null to set none.' }),
    addGroups: t.stringList({
      description: `Groups to add to those that each node has. ${groupsRule} None when null.`,
    }),
    removeGroups: t.stringList({ description: 'Groups to take away; at most 64. None when null.' }),
    setLabels: t.field({
      type: [LabelInput],
      description: 'Labels to add; one with the same key is replaced. At most 32. None when null.',
    }),
    removeLabels: t.stringList({ description: 'The keys of labels to take away; at most 32. None when null.' }),
  }),
  change: ({ set, ...input }, { vault }) => {
    const work = nodesUpdate(vault, { ...input, ...(set && { set: given(set) }) })
    return (scope, clusterId, ids) => updateNodes(scope, clusterId, ids, work)
  },
  warn: (facts, outcome, { set }) =>
    updatedNodesWarnings(facts, outcome, { hasMtu: typeof set?.mtu === 'number', isRelay: set?.isRelay === true }),
  done: 'What was changed.',
})

nodesMutation('deleteNodes', {
  description:
    'Deletes up to 1000 nodes: their certificates are revoked, their addresses are free again, and their tokens stop working. The last admin nodes cannot delete themselves.',
  input: 'The nodes to delete.',
  change: () => deleteNodes,
  warn: (facts, { nodes }) => removedNodesWarnings(facts, nodes),
  done: 'What was deleted.',
})

nodesMutation('blockNodes', {
  together: true,
  description:
    'Cuts up to 1000 nodes off, without deleting them: their certificates are revoked, the other nodes forget them, and their tokens are refused until they are unblocked. Names, addresses and keys stay theirs. The last admin nodes cannot block themselves.',
  input: 'The nodes to block.',
  fields: (t) => ({
    reason: t.string({
      description: 'Why, for the audit trail: one line of at most 200 characters; null for no reason.',
    }),
  }),
  change: (input) => (scope, clusterId, ids) => blockNodes(scope, clusterId, ids, input),
  warn: (facts, { nodes }) => removedNodesWarnings(facts, nodes),
  done: 'What was blocked.',
})

nodesMutation('unblockNodes', {
  together: true,
  description:
    'Lets up to 1000 blocked nodes in again: each gets a new certificate for the key that it has sent, and its token works again. Certificates that were revoked stay revoked.',
  input: 'The nodes to unblock.',
  change:
    (_input, { vault }) =>
    (scope, clusterId, ids) =>
      unblockNodes(scope, vault, clusterId, ids),
  done: 'What was unblocked.',
})

const NewNodeToken = builder.objectRef<{ readonly nodeId: string; readonly token: string }>('NewNodeToken').implement({
  description: 'The new token of a node.',
  fields: (t) => ({
    nodeId: t.field({ type: 'UUID', description: 'The node’s id.', resolve: ({ nodeId }) => nodeId }),
    token: t.exposeString('token', { description: 'The new node token. It is shown here and never again.' }),
  }),
})

nodesMutation('rotateNodeTokens', {
  callers: 'clusterWriter',
  description:
    'Replaces the tokens of up to 1000 nodes. The old ones are refused from the next request on, or after `graceSeconds`.',
  input: 'The nodes whose tokens are to be replaced.',
  dryRun: false,
  fields: (t) => ({ graceSeconds: graceField(t) }),
  change:
    (input, { tokens }) =>
    (scope, clusterId, ids) =>
      rotateNodeTokens(scope, tokens, clusterId, { ids, ...input }),
  done: 'What was replaced.',
  payload: (t) => ({
    tokens: t.field({
      type: [NewNodeToken],
      description: 'The new tokens, of those nodes whose token was replaced.',
      resolve: ({ clusters }) =>
        clusters.flatMap(({ done }) =>
          done instanceof CallerError ? [] : [...done.value.tokens].map(([nodeId, token]) => ({ nodeId, token })),
        ),
    }),
  }),
})
