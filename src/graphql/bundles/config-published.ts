import { followPublished, type Published } from '../../domain/publishing/published.ts'
import { nodeIn } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { badUserInput } from '../kit/errors.ts'
import { listenerOf } from '../kit/listener.ts'
import { sharedAnswers } from '../kit/shared-answers.ts'

const ConfigPublished = builder.objectRef<Published>('ConfigPublished').implement({
  description: 'A version of a cluster’s configuration that is published: what its nodes are to run.',
  fields: (t) => ({
    clusterId: t.expose('clusterId', { type: 'UUID', description: 'The cluster’s id.' }),
    version: t.expose('version', {
      type: 'PositiveInt',
      description: 'The published version. A reader that is slow is not told of those before the newest.',
    }),
  }),
})

builder.subscriptionField('configPublished', (t) =>
  t.field({
    type: ConfigPublished,
    description:
      'The published version of a cluster’s configuration: the present one at once (none before the first), then each newer one. Ends when the caller’s credential does and when the server stops: come back then. For everybody but enrolling machines.',
    authScopes: { clusterReader: true },
    extensions: sharedAnswers,
    args: {
      clusterId: t.arg({
        type: 'UUID',
        description: 'The cluster’s id; a node’s own cluster when null, needed from everybody else.',
      }),
    },
    subscribe: (_root, { clusterId }, context) => {
      const id = clusterId ?? nodeIn(context.session)?.clusterId ?? null
      if (id === null) throw badUserInput('Say which cluster: only a node has one of its own.')
      return followPublished(context.live, id, listenerOf(context))
    },
    resolve: (published) => published,
  }),
)
