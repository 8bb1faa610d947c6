import type { Messages } from '../messages/en.ts'
import type { Figures } from './figures.ts'

export interface Problem {
  readonly text: string
  readonly weight: 'bad' | 'warn' | 'calm'
}

/** How much the weight counts when clusters are put in order. */
const ranks = { bad: 100, warn: 10, calm: 1 }

/** What is to be looked at in a cluster, the worst first. */
export function problemsOf(figures: Figures, messages: Messages['fleet']['problem']): Problem[] {
  const { nodes, caStatus, caRotationPhase, unpublishedVersions } = figures
  const all: readonly (false | Problem)[] = [
    caStatus === 'ENDED' && { text: messages.caEnded, weight: 'bad' },
    nodes.failing > 0 && { text: messages.failing(nodes.failing), weight: 'bad' },
    caStatus === 'ENDS_SOON' && { text: messages.caEndsSoon, weight: 'warn' },
    nodes.offline > 0 && { text: messages.offline(nodes.offline), weight: 'warn' },
    nodes.outdated > 0 && { text: messages.outdated(nodes.outdated), weight: 'warn' },
    unpublishedVersions > 0 && { text: messages.unpublished, weight: 'calm' },
    caRotationPhase !== null && { text: messages.rotating, weight: 'calm' },
    nodes.blocked > 0 && { text: messages.blocked(nodes.blocked), weight: 'calm' },
    nodes.pending > 0 && { text: messages.pending(nodes.pending), weight: 'calm' },
  ]
  return all.filter((problem) => problem !== false)
}

/** The clusters with problems first, the worst of them at the top; equal ones by name. */
export function worstFirst(clusters: readonly Figures[], messages: Messages['fleet']['problem']): Figures[] {
  const rank = (figures: Figures) => problemsOf(figures, messages).reduce((sum, { weight }) => sum + ranks[weight], 0)
  return clusters.toSorted((a, b) => rank(b) - rank(a) || a.name.localeCompare(b.name))
}
