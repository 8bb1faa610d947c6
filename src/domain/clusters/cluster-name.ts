import * as z from 'zod'

import { ConflictError, NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import { refusal } from '../../db/client/errors.ts'
import type { Cluster } from '../../db/client/types.ts'
import { check, nameRule } from '../shared/rules.ts'

const rules = z.object({ name: nameRule })

/**
 * Gives a cluster another name. No configuration has it: the version stays the same, and nothing is published. The
 * present CA keeps the name that it was made with; the next one gets the new name.
 * @throws ValidationError, NotFoundError when the cluster does not exist or is not in the scope, ConflictError when the
 * name is taken
 */
export async function renameCluster(scope: Scope, id: string, input: { name: string }): Promise<Cluster> {
  const { name } = check(rules, input)
  try {
    const [cluster] = await scope.db.cluster.updateManyAndReturn({ where: { id }, data: { name } })
    if (!cluster) throw new NotFoundError('Cluster')
    return cluster
  } catch (error) {
    if (refusal(error)?.kind === 'unique') throw clusterNameTaken(name)
    throw error
  }
}

/** The tenant has a cluster of this name. */
export const clusterNameTaken = (name: string): ConflictError =>
  new ConflictError(`The tenant has a cluster named "${name}" already`)
