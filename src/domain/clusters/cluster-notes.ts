import * as z from 'zod'

import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Cluster } from '../../db/client/types.ts'
import { check, defined, descriptionRule } from '../shared/rules.ts'

/** What people note about a cluster, by column; an absent field of a change is left as it is. */
export const clusterNotes = z.object({ description: descriptionRule }).partial()
export type ClusterNotes = z.input<typeof clusterNotes>

/**
 * Changes the notes about a cluster. No configuration has them: the version stays the same, and nothing is published.
 * @throws ValidationError, NotFoundError when the cluster does not exist or is not in the scope
 */
export async function updateClusterNotes(scope: Scope, id: string, input: ClusterNotes): Promise<Cluster> {
  const data = defined(check(clusterNotes, input))
  const [cluster] = await scope.db.cluster.updateManyAndReturn({ where: { id }, data })
  if (!cluster) throw new NotFoundError('Cluster')
  return cluster
}
