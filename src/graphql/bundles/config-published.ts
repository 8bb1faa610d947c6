import { followPublished, type Published } from '../../domain/publishing/published.ts'
import { nodeIn } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { badUserInput } from '../kit/errors.ts'
import { listenerOf } from '../kit/listener.ts'
import { sharedAnswers } from '../kit/shared-answers.ts'

const ConfigPublished = builder.objectRef<Published>('ConfigPublished').implement({
  description: 'A published version of a cluster’s configuration, which the cluster’s nodes are to run.',
  fields: (t) => ({
    clusterId: t.expose('clusterId', { type: 'UUID', description: 'The cluster’s id.' }),
    version: t.expose('version', {
      type: 'PositiveInt',
      description: 'The published version. A slow reader is sent only the newest one.',
    }),
  }),
})

builder.subscriptionField('configPublished', (t) =>
  t.field({
    type: ConfigPublished,
    description:
      'The published version of a cluster’s configuration: the present one at once, if there is one, then each newer one. The stream ends when the caller’s credential ends or the server stops: subscribe again then. For everybody but enrolling machines.',
    authScopes: { clusterReader: true },
    extensions: sharedAnswers,
    args: {
      clusterId: t.arg({
        type: 'UUID',
        description: 'The cluster’s id. For a node, null means its own cluster; every other caller must give an id.',
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
