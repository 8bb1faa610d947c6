import { followCluster, type ClusterChange as Change } from '../../domain/clusters/cluster-changes.ts'
import { builder } from '../kit/builder.ts'
import { listenerOf } from '../kit/listener.ts'
import { Node } from '../nodes/nodes.ts'

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

const nodeIds = 'The nodes’ ids.'

const ClusterResync = builder.objectRef<Of<'resync'>>('ClusterResync').implement({
  description:
    'Read again whatever you show of the cluster: the stream begins here, or more happened than is told one by one.',
  fields: (t) => ({
    publishedVersion: t.expose('publishedVersion', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The newest published version; null before the first.',
    }),
  }),
})

const NodeAdded = builder.objectRef<Of<'nodeAdded'>>('NodeAdded').implement({
  description: 'A node was created, or a machine enrolled.',
  fields: (t) => ({ node: t.expose('node', { type: Node, description: 'The new node.' }) }),
})

const NodeChanged = builder.objectRef<Of<'nodeChanged'>>('NodeChanged').implement({
  description:
    'A node’s settings, groups, token or certificate were changed. Not told of certificates that a publication signs again.',
  fields: (t) => ({ node: t.expose('node', { type: Node, description: 'The node as it is now.' }) }),
})

const NodeRemoved = builder.objectRef<Of<'nodeRemoved'>>('NodeRemoved').implement({
  description: 'A node was deleted.',
  fields: (t) => ({
    nodeId: t.expose('nodeId', { type: 'UUID', description: 'The id that it had.' }),
    name: t.exposeString('name', { description: 'The name that it had.' }),
  }),
})

const NodesSeen = builder.objectRef<Of<'nodesSeen'>>('NodesSeen').implement({
  description: 'Agents of these nodes reported.',
  fields: (t) => ({
    nodeIds: t.expose('nodeIds', { type: ['UUID'], description: nodeIds }),
    seenAt: t.expose('at', { type: 'DateTimeISO', description: 'When the last of them was heard of, about.' }),
  }),
})

const VersionPublished = builder.objectRef<Of<'versionPublished'>>('VersionPublished').implement({
  description: 'A version of the configuration was published: the nodes are to run it.',
  fields: (t) => ({
    version: t.expose('version', { type: 'PositiveInt', description: 'The newest published version.' }),
  }),
})

const VersionApplied = builder.objectRef<Of<'versionApplied'>>('VersionApplied').implement({
  description: 'Nodes run another version than before.',
  fields: (t) => ({
    version: t.expose('version', { type: 'PositiveInt', description: 'The version that they run now.' }),
    nodeIds: t.expose('nodeIds', { type: ['UUID'], description: nodeIds }),
  }),
})

const ReplicaUp = builder.objectRef<Of<'replicaUp'>>('ReplicaUp').implement({
  description: 'An instance of the control plane registered. Only operators are told.',
  fields: (t) => ({
    replicaId: t.expose('replicaId', { type: 'UUID', description: 'The instance’s id.' }),
    address: t.expose('address', { type: 'URL', description: 'The full URL under which it is reached.' }),
  }),
})

const ReplicaDown = builder.objectRef<Of<'replicaDown'>>('ReplicaDown').implement({
  description:
    'An instance of the control plane stopped, or was forgotten because it was not heard of for five minutes. Only operators are told.',
  fields: (t) => ({
    replicaId: t.expose('replicaId', { type: 'UUID', description: 'The id that the instance had.' }),
  }),
})

const typeOf = {
  resync: ClusterResync,
  nodeAdded: NodeAdded,
  nodeChanged: NodeChanged,
  nodeRemoved: NodeRemoved,
  nodesSeen: NodesSeen,
  versionPublished: VersionPublished,
  versionApplied: VersionApplied,
  replicaUp: ReplicaUp,
  replicaDown: ReplicaDown,
} as const

const ClusterChange = builder.unionType('ClusterChange', {
  description: 'One thing that happened to a cluster, to its nodes, or (for operators) to the control plane.',
  types: Object.values(typeOf),
  resolveType: ({ kind }) => typeOf[kind],
})

builder.subscriptionField('clusterChanged', (t) =>
  t.field({
    type: ClusterChange,
    description:
      'What happens to a cluster, as it happens: begins with a `ClusterResync`, then tells each change; of what a slow reader has missed, the latest of each node, and where that would be too much, another `ClusterResync`. Ends when the caller’s credential does and when the server stops: come back then. For operators, tenant admins and viewers, and nodes of the same cluster.',
    authScopes: { clusterReader: true },
    args: { clusterId: t.arg({ type: 'UUID', required: true, description: 'The cluster’s id.' }) },
    subscribe: (_root, { clusterId }, context) => followCluster(context.live, clusterId, listenerOf(context)),
    resolve: (change) => change,
  }),
)
