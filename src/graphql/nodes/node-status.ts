import { unseenAfter } from '../../domain/clusters/convergence.ts'
import { getNodeStatuses, statusKey, type NodeStatus as Status } from '../../domain/nodes/status.ts'
import { scopeOf } from '../kit/access.ts'
import { builder } from '../kit/builder.ts'
import { Node } from './nodes.ts'

const minutes = unseenAfter / 60_000

export const NodeStatus = builder.enumType('NodeStatus', {
  description:
    'How a node is, from the worst to the best: it has the first of these that applies to it. Reports of the last second may be missing.',
  values: {
    BLOCKED: { value: 'BLOCKED', description: 'An admin has blocked it: no other node lets it in.' },
    PENDING: {
      value: 'PENDING',
      description: 'No certificate yet: no machine has sent its public key. It cannot take part in the network.',
    },
    OFFLINE: {
      value: 'OFFLINE',
      description: `Its agent was not seen in the last ${minutes} minutes, or never (\`lastSeenAt\`). Nebula may run all the same.`,
    },
    FAILING: {
      value: 'FAILING',
      description:
        'Its agent is in contact, but its certificate has ended, or it does not run the newest published version and has reported why (`lastError`).',
    },
    OUTDATED: {
      value: 'OUTDATED',
      description:
        'It is in contact and has reported no error, but runs no version yet, or an older one than the newest published.',
    },
    ONLINE: {
      value: 'ONLINE',
      description:
        'It is in contact and runs the newest published version; before the first version, it is in contact.',
    },
  } as const satisfies { readonly [Name in Status]: { value: Name; description: string } },
})

builder.prismaObjectField(Node, 'status', (t) =>
  t.field({
    type: NodeStatus,
    description:
      'Whether it takes part in the network and runs what it should. Worked out when it is asked for, from its certificate, its last contact and its last report.',
    select: {
      tenantId: true,
      clusterId: true,
      blockedAt: true,
      certificate: true,
      certificateExpiresAt: true,
      lastSeenAt: true,
      lastError: true,
      runningConfigVersion: true,
    },
    resolve: (node, _args, context) =>
      context.loaders.load(
        { place: 'node', purpose: 'status' },
        statusKey(node),
        (keys) => getNodeStatuses(scopeOf(context), keys),
        () => new Error('a node is not in the scope of its reader'),
      ),
  }),
)
