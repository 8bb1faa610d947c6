import type { RouteOverlap as RouteOverlapShape } from '../../domain/nodes/routes.ts'
import { builder } from '../kit/builder.ts'
import { Node } from './nodes.ts'

export const RouteOverlap = builder.objectRef<RouteOverlapShape>('RouteOverlap').implement({
  description:
    'A route that overlaps a route of another node: both are the same network (redundant gateways), or one lies inside the other. Nebula uses the longer prefix.',
  fields: (t) => ({
    route: t.expose('route', { type: 'CIDR', description: 'The route that was set.' }),
    node: t.field({ type: Node, description: 'The other node.', resolve: ({ node }) => node }),
    nodeRoute: t.expose('nodeRoute', { type: 'CIDR', description: 'The other node’s route.' }),
  }),
})
