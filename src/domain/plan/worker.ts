import { answerJobs } from '../../base/threads/job-worker.ts'
import type { CompileNode } from '../bundles/compile/compile-input.ts'
import { answerReachability } from '../reachability/question.ts'
import { actionsOf } from './actions.ts'
import { compareStates } from './compare.ts'
import type { PlanState } from './files.ts'
import type { PlanJob } from './protocol.ts'

/** Computes the effects of a change in a thread. See thread.ts. */
answerJobs<PlanJob>((parts) => {
  const states = new Map<'before' | 'after', Omit<PlanState, 'nodes'>>()
  const nodes = new Map<string, CompileNode>()
  const after: CompileNode[] = []
  for (const part of parts) {
    switch (part.kind) {
      case 'state':
        states.set(part.side, part.state)
        break
      case 'nodes':
        for (const node of part.nodes) nodes.set(node.id, node)
        break
      case 'nodesAfter':
        after.push(...part.nodes.map((node) => (typeof node === 'string' ? known(nodes, node) : node)))
        break
      case 'actions':
        return { kind: 'actions', actions: actionsOf(part.shared, part.nodes) }
      case 'reachability':
        return { kind: 'reachability', reachability: answerReachability(part) }
    }
  }
  const [old, now] = [states.get('before'), states.get('after')]
  if (!old || !now) throw new Error('a comparison needs both states')
  return {
    kind: 'comparison',
    comparison: compareStates({ ...old, nodes: [...nodes.values()] }, { ...now, nodes: after }),
  }
})

function known(nodes: ReadonlyMap<string, CompileNode>, id: string): CompileNode {
  const node = nodes.get(id)
  if (!node) throw new Error(`node ${id} is in neither state`)
  return node
}
