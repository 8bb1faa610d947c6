import * as z from 'zod'

import { NotFoundError } from '../../base/errors.ts'
import type { Scope } from '../../auth/scope.ts'
import type { Node } from '../../db/client/types.ts'
import { check, defined, descriptionRule } from '../shared/rules.ts'
import { labelsRule } from './labels.ts'

/** What people note about a node, by column; an absent field of a change is left as it is. */
export const nodeNotes = z.object({ description: descriptionRule, labels: labelsRule }).partial()
export type NodeNotes = z.input<typeof nodeNotes>

/**
 * Changes the notes about a node. No configuration has them: the version stays the same, and nothing is published.
 * @throws ValidationError, NotFoundError when the node does not exist or is not in the scope
 */
export async function updateNodeNotes(scope: Scope, id: string, input: NodeNotes): Promise<Node> {
  const data = defined(check(nodeNotes, input))
  const [node] = await scope.db.node.updateManyAndReturn({ where: { id }, data })
  if (!node) throw new NotFoundError('Node')
  scope.changes.emit({ kind: 'nodeChanged', clusterId: node.clusterId, nodeId: id })
  return node
}
