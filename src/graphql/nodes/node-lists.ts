import type { Node as NodeRow } from '../../db/generated/sqlite/client.ts'
import { listClusterNodes, listNodes, listNodesOfAll } from '../../domain/nodes/nodes.ts'
import { Cluster } from '../clusters/clusters.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { resolveConnection } from '../kit/connection.ts'
import { NodeFilter, NodeOrder } from './node-filter.ts'
import { Node } from './nodes.ts'

const NodeConnection = builder.connectionObject(
  {
    type: Node,
    name: 'NodeConnection',
    description: 'A page of nodes, ordered by name unless another order is asked for.',
  },
  { name: 'NodeEdge', description: 'A node and its cursor.' },
)

builder.queryField('nodes', (t) =>
  t.connection(
    {
      type: Node,
      description:
        'The nodes of a cluster, or of all clusters that you can see: of every tenant for operators, of your tenant for its admins and viewers, of your own cluster for nodes. Empty when the cluster does not exist or is not yours.',
      authScopes: { clusterReader: true },
      args: {
        clusterId: t.arg({ type: 'UUID', description: 'The cluster’s id; null for all clusters.' }),
        filter: t.arg({ type: NodeFilter, description: 'Which nodes to list; all when null.' }),
        orderBy: t.arg({ type: NodeOrder, description: 'In which order; by name when null.' }),
      },
      resolve: (_root, { clusterId, filter, orderBy, ...args }, context, info) => {
        const list = clusterId
          ? listClusterNodes(clusterId, filter ?? {}, orderBy ?? undefined)
          : listNodesOfAll(scopeOf(context), filter ?? {}, orderBy ?? undefined)
        return resolveConnection<NodeRow>(list, { args, context, info })
      },
    },
    NodeConnection,
  ),
)

builder.objectField(Cluster, 'nodes', (t) =>
  t.connection(
    {
      type: Node,
      description: 'The cluster’s nodes.',
      args: {
        filter: t.arg({ type: NodeFilter, description: 'Which nodes to list; all when null.' }),
        orderBy: t.arg({ type: NodeOrder, description: 'In which order; by name when null.' }),
      },
      resolve: ({ id }, { filter, orderBy, ...args }, context, info) =>
        resolveConnection<NodeRow>(listNodes(filter ?? {}, orderBy ?? undefined), {
          args,
          context,
          info,
          parentId: id,
        }),
    },
    NodeConnection,
  ),
)
