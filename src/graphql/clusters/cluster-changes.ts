import { followCluster, type ClusterChange as Change } from '../../domain/clusters/cluster-changes.ts'
import { builder } from '../kit/builder.ts'
import { listenerOf } from '../kit/listener.ts'
import { Node } from '../nodes/nodes.ts'

type Of<Kind extends Change['kind']> = Extract<Change, { kind: Kind }>

const nodeIds = 'The ids of the nodes.'

const ClusterResync = builder.objectRef<Of<'resync'>>('ClusterResync').implement({
  description: 'Read the cluster again: the stream begins here, or too much has happened to report each change.',
  fields: (t) => ({
    publishedVersion: t.expose('publishedVersion', {
      type: 'PositiveInt',
      nullable: true,
      description: 'The newest published version; null before the first publication.',
    }),
  }),
})

const NodeAdded = builder.objectRef<Of<'nodeAdded'>>('NodeAdded').implement({
  description: 'A node was created, or a machine enrolled.',
  fields: (t) => ({ node: t.expose('node', { type: Node, description: 'The new node.' }) }),
})

const NodeChanged = builder.objectRef<Of<'nodeChanged'>>('NodeChanged').implement({
  description:
    'The settings, notes, groups, token or certificate of a node changed. Certificates that a publication signs again are not reported.',
  fields: (t) => ({ node: t.expose('node', { type: Node, description: 'The node as it is now.' }) }),
})

const NodeRemoved = builder.objectRef<Of<'nodeRemoved'>>('NodeRemoved').implement({
  description: 'A node was deleted.',
  fields: (t) => ({
    nodeId: t.expose('nodeId', { type: 'UUID', description: 'The id of the deleted node.' }),
    name: t.exposeString('name', { description: 'The name of the deleted node.' }),
  }),
})

const NodesSeen = builder.objectRef<Of<'nodesSeen'>>('NodesSeen').implement({
  description: 'The agents of these nodes reported.',
  fields: (t) => ({
    nodeIds: t.expose('nodeIds', { type: ['UUID'], description: nodeIds }),
    seenAt: t.expose('at', { type: 'DateTimeISO', description: 'Roughly when the last of them reported.' }),
  }),
})

const VersionPublished = builder.objectRef<Of<'versionPublished'>>('VersionPublished').implement({
  description: 'A version of the configuration was published. The nodes are to run it.',
  fields: (t) => ({
    version: t.expose('version', { type: 'PositiveInt', description: 'The newest published version.' }),
  }),
})

const VersionApplied = builder.objectRef<Of<'versionApplied'>>('VersionApplied').implement({
  description: 'Nodes have switched to another version.',
  fields: (t) => ({
    version: t.expose('version', { type: 'PositiveInt', description: 'The version that they run now.' }),
    nodeIds: t.expose('nodeIds', { type: ['UUID'], description: nodeIds }),
  }),
})

const ReplicaUp = builder.objectRef<Of<'replicaUp'>>('ReplicaUp').implement({
  description: 'An instance of the control plane registered. Sent to operators only.',
  fields: (t) => ({
    replicaId: t.expose('replicaId', { type: 'UUID', description: 'The instance’s id.' }),
    address: t.expose('address', { type: 'URL', description: 'The full URL at which the instance is reached.' }),
  }),
})

const ReplicaDown = builder.objectRef<Of<'replicaDown'>>('ReplicaDown').implement({
  description:
    'An instance of the control plane stopped, or was removed after five minutes without a report. Sent to operators only.',
  fields: (t) => ({
    replicaId: t.expose('replicaId', { type: 'UUID', description: 'The id of the instance that is gone.' }),
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
  description: 'One change of a cluster, of its nodes, or (for operators) of the control plane.',
  types: Object.values(typeOf),
  resolveType: ({ kind }) => typeOf[kind],
})

builder.subscriptionField('clusterChanged', (t) =>
  t.field({
    type: ClusterChange,
    description:
      'The changes of a cluster as they happen. The stream begins with a `ClusterResync`, then sends each change. A slow reader gets only the latest change of each node, or another `ClusterResync` if it has missed too much. The stream ends when the caller’s credential ends or the server stops: subscribe again then. For operators, people of the tenant, and nodes of the same cluster.',
    authScopes: { clusterReader: true },
    args: { clusterId: t.arg({ type: 'UUID', required: true, description: 'The cluster’s id.' }) },
    subscribe: (_root, { clusterId }, context) => followCluster(context.live, clusterId, listenerOf(context)),
    resolve: (change) => change,
  }),
)
