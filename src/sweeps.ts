import type { Operator } from './auth/scope.ts'
import type { Logger } from './base/log.ts'
import type { AuditKeeper } from './domain/audit/keeper.ts'
import { advanceCaRotations } from './domain/pki/ca-rotation.ts'
import { EndsWatch } from './domain/pki/ends-watch.ts'
import type { Vault } from './domain/pki/vault.ts'
import type { Publisher } from './domain/publishing/publisher.ts'
import type { EphemeralNodes } from './domain/nodes/ephemeral-nodes.ts'
import { pruneStaleReplicas } from './domain/replicas/replicas.ts'
import type { SignIns } from './domain/tenants/sign-ins.ts'
import type { Sweep } from './ha/sweeps.ts'

interface Dependencies {
  readonly operator: Operator
  readonly vault: Vault
  readonly log: Logger
  readonly publisher: Pick<Publisher, 'sweep'>
  readonly ephemeralNodes: Pick<EphemeralNodes, 'removeUnseen'>
  readonly signIns: Pick<SignIns, 'removeSpent'>
  readonly audit: Pick<AuditKeeper, 'keep'>
}

const second = 1000
const minute = 60 * second

/**
 * All periodic work on the database that is done once for all instances, by the master. What an instance does for
 * itself alone is elsewhere: its heartbeat, the reports that it has collected, its streams, its health.
 */
export function masterSweeps(dependencies: Dependencies): readonly Sweep[] {
  const { operator, vault, log, publisher, ephemeralNodes, signIns, audit } = dependencies
  const ends = new EndsWatch({ operator, vault, log })
  return [
    {
      name: 'unpublished clusters',
      interval: 5 * second,
      // Ten clusters, of which each may have many thousand nodes.
      deadline: 2 * minute,
      run: () => publisher.sweep(),
    },
    {
      name: 'next steps of CA rotations',
      interval: 5 * second,
      deadline: minute,
      run: () => advanceCaRotations(operator),
    },
    {
      name: 'certificates that end',
      // The shortest lifetime (a CA of one day) has its warning six hours before the end.
      interval: 60 * minute,
      retry: minute,
      deadline: minute,
      run: () => ends.look(),
    },
    {
      name: 'instances that are gone',
      interval: 10 * second,
      deadline: 10 * second,
      async *run() {
        await pruneStaleReplicas(operator)
        yield
      },
    },
    {
      name: 'ephemeral nodes that are gone',
      interval: 30 * second,
      // One cluster's transaction, of at most a thousand nodes.
      deadline: minute,
      run: () => ephemeralNodes.removeUnseen(),
    },
    { name: 'spent credentials', interval: 10 * second, deadline: 10 * second, run: () => signIns.removeSpent() },
    {
      name: 'audit trail',
      interval: 10 * minute,
      retry: minute,
      // At the first cut, a year of events may be due.
      deadline: 5 * minute,
      run: () => audit.keep(),
    },
  ]
}
