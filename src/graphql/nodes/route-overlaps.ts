import { listRouteOverlaps, type RouteOverlap as RouteOverlapShape } from '../../domain/nodes/routes.ts'
import { changedNode, type Changed, type OfNode } from '../changes/change.ts'
import type { PayloadFields } from '../changes/mutation.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Node } from './nodes.ts'

const RouteOverlap = builder.objectRef<RouteOverlapShape>('RouteOverlap').implement({
  description:
    'A route that overlaps a route of another node: both are the same network (redundant gateways), or one lies inside the other. Nebula uses the longer prefix.',
  fields: (t) => ({
    route: t.expose('route', { type: 'CIDR', description: 'The route that was set.' }),
    node: t.field({ type: Node, description: 'The other node.', resolve: ({ node }) => node }),
    nodeRoute: t.expose('nodeRoute', { type: 'CIDR', description: 'The other node’s route.' }),
  }),
})

/** The payload's field for the overlaps of the routes that a change set. */
export const overlapsField = <T extends OfNode>(t: PayloadFields<Changed<T>>) =>
  t.field({
    type: [RouteOverlap],
    description:
      'Where its routes overlap with routes of other nodes of the cluster, which is allowed; at most 1000 are listed.',
    resolve: ({ value }, _args, context) => listRouteOverlaps(scopeOf(context), changedNode(value)),
  })
